"""The files of a board that outlive flashing: found, saved to a backup, and taken from it when flashing was cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters import backups as backup_files
from dispctl.errors import DamagedError
from dispctl.operations import board_flash
from dispctl.operations.firmware_package import MANIFEST_PATH, is_foreign, is_ours, may_be_foreign

if TYPE_CHECKING:
    from pathlib import Path

    from dispctl.adapters.backups import Backups
    from dispctl.adapters.rom import RomSession
    from dispctl.image.littlefs_image import ReadOnlyFilesystem
    from dispctl.operations.board_flash import FoundFilesystem


@dataclass(frozen=True)
class KeptFiles:
    """What is kept, by path; where it is saved; whether it is from there because an earlier run was cut.

    `replaced` are files of others that stand where ours go: they are saved and do not stay.
    """

    files: dict[str, bytes]
    backup: Path | None
    resumed: bool
    replaced: tuple[str, ...] = ()
    readable: bool = True
    """False when the board has files that nobody can read."""


@dataclass(frozen=True)
class Replaced:
    """Files of others that stand where ours go, such as another program's `main.py`; as they were they are in `backup`."""

    paths: tuple[str, ...]
    backup: Path


def find_and_save(session: RomSession, old: FoundFilesystem, backups: Backups, *, erasing: bool) -> KeptFiles:
    """Everything on the board that is not ours, saved before this returns.

    While a note says that an earlier run was cut, the board counts only if its filesystem is whole: the old one, not
    touched yet, or the new one, complete. Else the backup of that run does. Raises DamagedError when the board's files
    cannot be read and there is no such backup; `erasing` makes do with what can be read.
    """
    underway = _underway(backups, session.mac, erasing=erasing)
    try:
        on_board = _read_board(session, old)
    except DamagedError as error:
        if underway is None and not erasing:
            raise DamagedError(
                f"What the board holds cannot be kept: {error.message}",
                hint="Look with dispctl inspect-flash --via rom; --erase drops what cannot be read.",
            ) from error
        on_board = _OnBoard({}, {}, whole=False, readable=False)
    if underway is not None and not on_board.whole:
        return _from_backup(underway[0], erasing=erasing)
    found = on_board.files | on_board.foreign
    backup = backups.save(session.mac, found) if found else None
    return KeptFiles(
        on_board.files, backup, resumed=False, replaced=tuple(on_board.foreign), readable=on_board.readable
    )


def _underway(backups: Backups, mac: str, *, erasing: bool) -> tuple[Path | None] | None:
    """What the note says; `erasing` does not need to know where the files are."""
    try:
        return backups.underway(mac)
    except DamagedError:
        if not erasing:
            raise
        return (None,)


def _from_backup(backup: Path | None, *, erasing: bool) -> KeptFiles:
    """What an earlier run had saved; `erasing` makes do without."""
    if backup is None:
        return KeptFiles({}, None, resumed=True)
    try:
        files = backup_files.load(backup)
    except DamagedError as error:
        if not erasing:
            raise DamagedError(
                error.message, hint="It has what the board held; --erase goes on without it."
            ) from error
        return KeptFiles({}, None, resumed=True)
    kept = {path: contents for path, contents in files.items() if not is_ours(path, b"")}
    return KeptFiles(kept, backup, resumed=True)


@dataclass(frozen=True)
class _OnBoard:
    files: dict[str, bytes]
    foreign: dict[str, bytes]
    """Files of others in places of ours."""
    whole: bool
    """Whether our manifest is there, which a filesystem that the board made for itself lacks."""
    readable: bool = True


def _read_board(session: RomSession, old: FoundFilesystem) -> _OnBoard:
    if old.kind != "littlefs":
        return _OnBoard({}, {}, whole=False)
    filesystem = board_flash.mount(session, old.region)
    paths = filesystem.paths()
    manifest = filesystem.read_file(MANIFEST_PATH) if MANIFEST_PATH in paths else b""
    files = _read(filesystem, [path for path in paths if not is_ours(path, manifest)])
    in_our_place = _read(filesystem, [path for path in paths if may_be_foreign(path, manifest)])
    foreign = {path: data for path, data in in_our_place.items() if is_foreign(path, data, manifest)}
    return _OnBoard(files, foreign, whole=bool(manifest))


def _read(filesystem: ReadOnlyFilesystem, paths: list[str]) -> dict[str, bytes]:
    return {path: filesystem.read_file(path) for path in paths}
