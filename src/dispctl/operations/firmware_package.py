"""What of ours goes onto a board, as bytecode or as sources, and how to tell it from what is not ours.

Knows nothing of how it gets there, nor which of the two a board should have (`package_form`).
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from dispctl.adapters import bytecode
from dispctl.firmware import VERSION, updater

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE, BYTECODE = "source", "bytecode"
"""The forms of a package."""
SOURCE_SUFFIX, BYTECODE_SUFFIX = ".py", ".mpy"
PACKAGE_FOLDER = f"/{updater.FOLDER}/"
MANIFEST_PATH = PACKAGE_FOLDER + "manifest.json"
"""In the folder that updates change as a whole, so that it always tells of the version beside it."""
MAIN_PATH = "/main.py"
"""MicroPython runs it by this name: one line, as source in either form."""
UPDATER_PATHS = ("/updater.py", "/updater.mpy")
"""What puts updates in place stands outside of what they replace. MicroPython prefers the source, where both are."""
MAIN = b"import updater; updater.start()\n"
_UPDATE_FOLDERS = tuple(
    f"/{name}/" for name in (updater.STAGED, updater.NEXT, updater.PREVIOUS, updater.TRASH)
)
_COMPILING = threading.Lock()
"""Boards that are flashed at once wait for one compilation."""


@dataclass(frozen=True)
class Package:
    """Everything of ours by absolute path on the board, the manifest included.

    `reason` says in a sentence why it is sources where bytecode was wanted, else it is empty.
    """

    files: dict[str, bytes]
    form: str
    reason: str = ""


def source_package(reason: str = "") -> Package:
    """As it is written."""
    return _package(_sources(), SOURCE, reason)


def bytecode_package() -> Package:
    """Compiled; raises CompilerMissingError where there is nothing to compile with."""
    return _package(_compiled(), BYTECODE)


def is_ours(path: str, manifest: bytes) -> bool:
    """Whether `path` came onto the board with the firmware, now or with the version that wrote `manifest`."""
    return (
        path in {MAIN_PATH, *UPDATER_PATHS}
        or path.startswith((PACKAGE_FOLDER, *_UPDATE_FOLDERS))
        or path in _listed(manifest)
    )


def may_be_foreign(path: str, manifest: bytes) -> bool:
    """Whether somebody else may have put `path` into a place of ours: what is in it tells, see `is_foreign`."""
    unlisted = path != MANIFEST_PATH and path not in _listed(manifest)
    return path == MAIN_PATH or (unlisted and (path in UPDATER_PATHS or path.startswith(PACKAGE_FOLDER)))


def is_foreign(path: str, contents: bytes, manifest: bytes) -> bool:
    """Whether these contents came neither with this version nor with the one that wrote `manifest`."""
    ours = path == MAIN_PATH and contents == MAIN
    return not ours and _listed(manifest).get(path) != hashlib.sha256(contents).hexdigest()


def twin_of(path: str) -> str | None:
    """The same module in the other form: beside it, MicroPython would load the source whichever is newer."""
    if path == MAIN_PATH:
        return None
    for suffix, other in ((SOURCE_SUFFIX, BYTECODE_SUFFIX), (BYTECODE_SUFFIX, SOURCE_SUFFIX)):
        if path.endswith(suffix):
            return path.removesuffix(suffix) + other
    return None


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """What a package says of itself: its version, and the SHA-256 of every file by its path on the board."""
    digests = {path: hashlib.sha256(contents).hexdigest() for path, contents in files.items()}
    return json.dumps({"version": VERSION, "files": digests}, indent=1).encode()


def _package(modules: Mapping[str, bytes], form: str, reason: str = "") -> Package:
    files = {f"/{name}": contents for name, contents in modules.items()} | {MAIN_PATH: MAIN}
    return Package({**files, MANIFEST_PATH: manifest_of(files)}, form, reason)


def _sources() -> dict[str, bytes]:
    """The modules by their names on the board, which are also what tracebacks call them: ``firmware/pour.py``."""
    entries = sorted(resources.files("dispctl.firmware").iterdir(), key=lambda entry: entry.name)
    files = {entry.name: entry.read_bytes() for entry in entries if entry.name.endswith(SOURCE_SUFFIX)}
    root = {"updater.py": files.pop("updater.py")}
    return {f"{updater.FOLDER}/{name}": contents for name, contents in files.items()} | root


def _compiled() -> dict[str, bytes]:
    with _COMPILING:
        return _compile_once()


@functools.cache
def _compile_once() -> dict[str, bytes]:
    compiled = bytecode.compile_all(_sources())
    return {name.removesuffix(SOURCE_SUFFIX) + BYTECODE_SUFFIX: data for name, data in compiled.items()}


def _listed(manifest: bytes) -> dict[str, str]:
    """The digests in a manifest; a damaged one lists none, so that what it named is kept rather than dropped."""
    try:
        return dict(json.loads(manifest)["files"])
    except (ValueError, KeyError, TypeError):
        return {}
