"""MicroPython's released images for the ESP32: fetched from micropython.org, checked, and kept for use without it.

An image is kept only when it is whole and says of itself what was asked for; beside it stands its SHA-256, which is
compared at every use. Images are named BOARD-DATE-VERSION.bin on the site, and only its page knows the dates.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

import httpx

from dispctl.errors import (
    BackendRefusedError,
    BackendUnreachableError,
    DamagedError,
    DispctlError,
    UsageError,
)
from dispctl.image import micropython_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASE_URL = "https://micropython.org"
BASE_URL_VARIABLE = "DISPCTL_MICROPYTHON_URL"
BOARD = "ESP32_GENERIC"
TESTED_VERSION = "v1.26.1"
"""What is written where nothing else is asked for."""
_KNOWN_DATES = {TESTED_VERSION: "20250911"}
_VERSION = re.compile(r"v?(\d+\.\d+(?:\.\d+)?)")
_LISTED = re.compile(rf"{BOARD}-(\d{{8}})-(v[\d.]+)\.bin")
_TIMEOUT_S = 20.0
_NOT_FOUND = 404
_LARGEST_BYTES = 16 * 1024 * 1024
_ELSEWHERE = "Fetch it elsewhere and give the file: --micropython FILE."


def is_version(text: str) -> bool:
    """Whether `text` names a release: ``v1.26.1``, ``1.26.1`` or ``1.26``."""
    return bool(_VERSION.fullmatch(text))


class Releases:
    """Released images, kept in `folder` once they were fetched from `base_url`."""

    def __init__(
        self, folder: Path, base_url: str = BASE_URL, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._folder = folder
        self._base_url = base_url.rstrip("/")
        self._transport = transport

    def image(self, version: str, *, offline: bool, on_progress: Callable[[float], None]) -> Path:
        """The file with the image of `version`, from the folder or else from the site unless `offline`.

        Raises UsageError for a version that is not there, BackendUnreachableError and BackendRefusedError when the
        site does not deliver, DamagedError for what is not a whole image of that version, kept or fetched.
        """
        version = f"v{version.removeprefix('v')}"
        kept = self._kept(version)
        if kept is not None:
            return kept
        if offline:
            raise self._not_here(version)
        with self._client() as client:
            data = self._download(client, self._path_of(client, version), on_progress)
        check(data, version, source=f"What {self._base_url} sent for {version}")
        return self._keep(version, data)

    def _file(self, version: str) -> Path:
        return self._folder / f"{BOARD}-{version}.bin"

    def _kept(self, version: str) -> Path | None:
        """The file, if it is as it was when it was kept; another one is fetched again."""
        path = self._file(version)
        try:
            noted = path.with_suffix(".sha256").read_text().strip()
            return path if hashlib.sha256(path.read_bytes()).hexdigest() == noted else None
        except OSError:
            return None

    def _not_here(self, version: str) -> DispctlError:
        if self._file(version).exists():
            return DamagedError(
                f"{self._file(version)} is not as it was when it was fetched, and --offline says not to fetch it anew.",
                hint="Leave out --offline once, or give another file: --micropython FILE.",
            )
        return UsageError(
            f"MicroPython {version} is not on this machine, and --offline says not to fetch it.",
            hint=f"Leave out --offline once, or give the file: --micropython FILE. {self._kept_words()}",
        )

    def _kept_words(self) -> str:
        names = sorted(path.stem.removeprefix(f"{BOARD}-") for path in self._folder.glob("*.bin"))
        return f"There are: {', '.join(names)}." if names else "There is none yet."

    def _keep(self, version: str, data: bytes) -> Path:
        path = self._file(version)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(f".{os.getpid()}.new")
            new.write_bytes(data)
            path.with_suffix(".sha256").write_text(hashlib.sha256(data).hexdigest())
            new.replace(path)
        except OSError as error:
            raise UsageError(f"{self._folder} cannot be written to: {error.strerror}.") from error
        return path

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self._base_url, timeout=_TIMEOUT_S, transport=self._transport, follow_redirects=True
        )

    def _path_of(self, client: httpx.Client, version: str) -> str:
        date = _KNOWN_DATES.get(version) or self._listed_date(client, version)
        return f"/resources/firmware/{BOARD}-{date}-{version}.bin"

    def _listed_date(self, client: httpx.Client, version: str) -> str:
        page = self._download(client, f"/download/{BOARD}/", lambda _part: None).decode("utf-8", "replace")
        dates: dict[str, str] = {listed: date for date, listed in _LISTED.findall(page)}
        if version not in dates:
            newest = ", ".join(sorted(dates, key=_order, reverse=True)[:5])
            raise UsageError(
                f"{self._base_url} lists no MicroPython {version} for {BOARD}.",
                hint=f"It lists {newest}." if newest else _ELSEWHERE,
            )
        return dates[version]

    def _download(self, client: httpx.Client, path: str, on_progress: Callable[[float], None]) -> bytes:
        data = bytearray()
        try:
            with client.stream("GET", path) as answer:
                self._check_status(answer.status_code, path)
                expected = int(answer.headers.get("content-length", 0))
                for piece in answer.iter_bytes():
                    data += piece
                    if len(data) > _LARGEST_BYTES:
                        raise DamagedError(f"{self._base_url}{path} is too long for an image.")
                    on_progress(min(1.0, answer.num_bytes_downloaded / expected) if expected else 0.0)
        except httpx.RemoteProtocolError as error:
            raise DamagedError(
                f"{self._base_url}{path} broke off after {len(data)} bytes.", hint="Repeat the command."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise BackendUnreachableError(
                f"{self._base_url} cannot be reached: {reason}.", hint=_ELSEWHERE
            ) from error
        return bytes(data)

    def _check_status(self, status: int, path: str) -> None:
        if status == _NOT_FOUND:
            raise UsageError(f"There is no {self._base_url}{path}.", hint=_ELSEWHERE)
        if status != httpx.codes.OK:
            raise BackendRefusedError(
                f"{self._base_url}{path} answered with HTTP {status}.", status=status, hint=_ELSEWHERE
            )


def check(data: bytes, version: str, *, source: str) -> None:
    """Raises DamagedError or UsageError unless `data` is a whole image for the ESP32 of just this version."""
    if data.lstrip()[:1] == b"<":
        raise DamagedError(
            f"{source} is a web page, not an image.",
            hint="Does this network ask for a log-in first? " + _ELSEWHERE,
        )
    said = micropython_image.parse(data, source=source).version
    if said != version:
        raise DamagedError(f"{source} says that it is MicroPython {said}.", hint=_ELSEWHERE)


def user_releases() -> Releases:
    """The images in this user's cache; `BASE_URL_VARIABLE` names another site."""
    from platformdirs import user_cache_path

    folder = user_cache_path("dispctl", appauthor=False) / "micropython"
    return Releases(folder, os.environ.get(BASE_URL_VARIABLE) or BASE_URL)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("v").split(".") if part)
