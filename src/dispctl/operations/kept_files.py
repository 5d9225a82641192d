"""The files of a board that outlive flashing: found, saved to a backup, and taken from it when flashing was cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters import backups as backup_files
from dispctl.errors import DamagedError
from dispctl.operations import board_flash
from dispctl.operations.firmware_package import MANIFEST_PATH, is_ours

if TYPE_CHECKING:
    from pathlib import Path

    from dispctl.adapters.backups import Backups
    from dispctl.adapters.rom import RomSession
    from dispctl.image.littlefs_image import ReadOnlyFilesystem
    from dispctl.operations.board_flash import FoundFilesystem


@dataclass(frozen=True)
class KeptFiles:
    """What is kept, by path; where it is saved; whether it is from there because an earlier run was cut."""

    files: dict[str, bytes]
    backup: Path | None
    resumed: bool


def find_and_save(session: RomSession, old: FoundFilesystem, backups: Backups, *, erasing: bool) -> KeptFiles:
    """Everything on the board that is not ours, saved before this returns.

    While a note says that an earlier run was cut, the board counts only if its filesystem is whole: the old one, not
    touched yet, or the new one, complete. Else the backup of that run does. Raises DamagedError when the board's files
    cannot be read and there is no such backup; `erasing` makes do with what can be read.
    """
    underway = backups.underway(session.mac)
    try:
        on_board = _read_board(session, old)
    except DamagedError as error:
        if underway is None and not erasing:
            raise DamagedError(
                f"What the board holds cannot be kept: {error.message}",
                hint="Look with dispctl inspect-flash --via rom; --erase drops what cannot be read.",
            ) from error
        on_board = _OnBoard({}, whole=False)
    if underway is not None and not on_board.whole:
        backup = underway[0]
        return KeptFiles(backup_files.load(backup) if backup else {}, backup, resumed=True)
    backup = backups.save(session.mac, on_board.files) if on_board.files else None
    return KeptFiles(on_board.files, backup, resumed=False)


@dataclass(frozen=True)
class _OnBoard:
    files: dict[str, bytes]
    whole: bool
    """Whether our manifest is there, which a filesystem that the board made for itself lacks."""


def _read_board(session: RomSession, old: FoundFilesystem) -> _OnBoard:
    if old.kind != "littlefs":
        return _OnBoard({}, whole=False)
    filesystem = board_flash.mount(session, old.region)
    paths = filesystem.paths()
    manifest = filesystem.read_file(MANIFEST_PATH) if MANIFEST_PATH in paths else b""
    return _OnBoard(_read_not_ours(filesystem, paths, manifest), whole=bool(manifest))


def _read_not_ours(filesystem: ReadOnlyFilesystem, paths: list[str], manifest: bytes) -> dict[str, bytes]:
    return {path: filesystem.read_file(path) for path in paths if not is_ours(path, manifest)}
