"""What of ours goes onto a board, and how to tell it from what is not ours; knows nothing of how it gets there."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING

from dispctl.firmware import VERSION, updater

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE_FOLDER = f"/{updater.FOLDER}/"
MANIFEST_PATH = PACKAGE_FOLDER + "manifest.json"
"""In the folder that updates change as a whole, so that it always tells of the version beside it."""
MAIN_PATH = "/main.py"
UPDATER_PATH = "/updater.py"
MAIN = b"import updater; updater.start()\n"
_UPDATE_FOLDERS = tuple(
    f"/{name}/" for name in (updater.STAGED, updater.NEXT, updater.PREVIOUS, updater.TRASH)
)


def package_files() -> dict[str, bytes]:
    """Everything of ours by absolute path on the board, the manifest included."""
    sources = resources.files("dispctl.firmware")
    files = {
        PACKAGE_FOLDER + entry.name: entry.read_bytes()
        for entry in sorted(sources.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".py")
    }
    # What puts updates in place stands outside of what they replace.
    files[UPDATER_PATH] = files.pop(PACKAGE_FOLDER + "updater.py")
    files[MAIN_PATH] = MAIN
    return {**files, MANIFEST_PATH: manifest_of(files)}


def is_ours(path: str, manifest: bytes) -> bool:
    """Whether `path` came onto the board with the firmware, now or with the version that wrote `manifest`."""
    return (
        path in {MAIN_PATH, UPDATER_PATH}
        or path.startswith((PACKAGE_FOLDER, *_UPDATE_FOLDERS))
        or path in _listed(manifest)
    )


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """What a package says of itself: its version, and the SHA-256 of every file by its path on the board."""
    digests = {path: hashlib.sha256(contents).hexdigest() for path, contents in files.items()}
    return json.dumps({"version": VERSION, "files": digests}, indent=1).encode()


def _listed(manifest: bytes) -> frozenset[str]:
    """The paths in a manifest; a damaged one lists none, so that what it named is kept rather than dropped."""
    try:
        return frozenset(json.loads(manifest)["files"])
    except (ValueError, KeyError, TypeError):
        return frozenset()
