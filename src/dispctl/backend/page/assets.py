"""The page's style, script and icon: small files of its own, so that it needs no internet and no build step."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Response

from dispctl.backend.refusals import NotFoundError

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

router = APIRouter()


@dataclass(frozen=True)
class Asset:
    """A file as it is served; `url` changes with its content, so browsers may keep it for good."""

    name: str
    content: bytes
    media_type: str

    @property
    def url(self) -> str:
        """Where it is, with a mark of what it holds."""
        return f"/page/static/{self.name}?v={hashlib.sha256(self.content).hexdigest()[:12]}"


ASSETS = {
    file.name: Asset(file.name, file.read_bytes(), TYPES[file.suffix])
    for file in sorted(FOLDER.iterdir())
    if file.suffix in TYPES
}


@router.get("/page/static/{name}")
async def asset(name: str) -> Response:
    """One of the files."""
    found = ASSETS.get(name)
    if found is None:
        raise NotFoundError("There is no such file.")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(found.content, media_type=found.media_type, headers=headers)
