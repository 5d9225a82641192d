"""What of ours goes onto a board, and how to tell it from what is not ours; knows nothing of how it gets there."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING

from dispctl.firmware import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE_FOLDER = "/firmware/"
MAIN_PATH = "/main.py"
MANIFEST_PATH = "/manifest.json"
MAIN = b"from firmware import main; main.main()\n"


def package_files() -> dict[str, bytes]:
    """Everything of ours by absolute path on the board, the manifest included."""
    sources = resources.files("dispctl.firmware")
    files = {
        PACKAGE_FOLDER + entry.name: entry.read_bytes()
        for entry in sorted(sources.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".py")
    }
    files[MAIN_PATH] = MAIN
    return {**files, MANIFEST_PATH: _manifest(files)}


def is_ours(path: str, manifest: bytes) -> bool:
    """Whether `path` came onto the board with the firmware, now or with the version that wrote `manifest`."""
    return path in {MAIN_PATH, MANIFEST_PATH} or path.startswith(PACKAGE_FOLDER) or path in _listed(manifest)


def _manifest(files: Mapping[str, bytes]) -> bytes:
    digests = {path: hashlib.sha256(contents).hexdigest() for path, contents in files.items()}
    return json.dumps({"version": VERSION, "files": digests}, indent=1).encode()


def _listed(manifest: bytes) -> frozenset[str]:
    """The paths in a manifest; a damaged one lists none, so that what it named is kept rather than dropped."""
    try:
        return frozenset(json.loads(manifest)["files"])
    except (ValueError, KeyError, TypeError):
        return frozenset()
