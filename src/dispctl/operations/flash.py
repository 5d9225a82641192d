"""Bring a board in any state to the running firmware, and keep what is its own; prints nothing, asks nothing.

One bootloader session reads the old files, saves them, writes MicroPython where it differs and a filesystem built
here, checks, and resets. The superblocks are erased first and written last, and until then a note beside the backup
says that the board's files are there: whenever it is cut, the same command brings the board to the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dispctl.adapters import rom
from dispctl.adapters.given_file import read_given
from dispctl.adapters.rom import BAUD_LADDER, LineUnreliableError
from dispctl.errors import DamagedError, DeadlineError, UsageError
from dispctl.firmware import VERSION
from dispctl.image import littlefs_image, micropython_image, partition_table
from dispctl.operations import board_flash, boot, busy, kept_files, package_form
from dispctl.operations.boot import Started
from dispctl.operations.choose_boards import check_mac
from dispctl.operations.kept_files import Replaced
from dispctl.operations.package_form import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from dispctl.adapters.backups import Backups
    from dispctl.adapters.rom import RomSession
    from dispctl.image.littlefs_image import BuiltImage
    from dispctl.image.micropython_image import MicroPythonImage
    from dispctl.image.partition_table import Region
    from dispctl.operations.board_flash import FoundFilesystem


@dataclass(frozen=True)
class Connected:
    """The bootloader answers."""

    mac: str
    flash_size: int
    baud: int


@dataclass(frozen=True)
class SlowedDown:
    """Talking broke down; everything begins again at `baud`."""

    baud: int
    reason: str


@dataclass(frozen=True)
class Dropping:
    """About to lose `what` from the board; whoever runs the operation stops here to prevent it."""

    what: tuple[str, ...]
    backup: Path | None


@dataclass(frozen=True)
class Kept:
    """Files that the board had and will have, and where they are saved; `resumed`: taken from an earlier backup."""

    paths: tuple[str, ...]
    backup: Path | None
    resumed: bool


@dataclass(frozen=True)
class Written:
    """MicroPython is on the board (`was_there`: it already was), and the filesystem."""

    micropython: str
    was_there: bool
    files: int


@dataclass(frozen=True)
class Verified:
    """What was written reads back; kept files byte by byte."""

    kept: int


BOOT_PATH = "/boot.py"
UNREADABLE_WORDS = "files that cannot be read"
FOREIGN_WORDS = {"fat": "a FAT filesystem", "unknown": "data that is no filesystem of MicroPython"}

Event = (
    busy.Waited
    | Connected
    | SlowedDown
    | Prepared
    | Replaced
    | Dropping
    | Kept
    | Written
    | Verified
    | Started
)


@dataclass(frozen=True)
class Request:
    """What to flash: `image` is None to leave the MicroPython on the board, where there is one.

    `fallback` gives the image for a board without; `expected_mac` refuses another board; `as_source` deploys the
    firmware's sources also where bytecode would do.
    """

    port: str
    image: Path | None = None
    fallback: Callable[[], Path] | None = None
    expected_mac: str | None = None
    erase: bool = False
    as_source: bool = False
    wait: bool = False
    force: bool = False
    bauds: tuple[int, ...] = BAUD_LADDER
    boot_timeout_s: float = boot.TIMEOUT_S
    on_progress: Callable[[float, str], None] = field(default=lambda _part, _words: None)


def flash(request: Request, backups: Backups) -> Generator[Event, None, None]:
    """Do all of it; the last event is `Started`.

    Raises the errors of the port and the bootloader, UsageError and DamagedError about the image, BoardRefusedError
    while a jar is being poured, DamagedError when the board's files cannot be kept or do not verify, DeadlineError when
    the firmware does not start.
    """
    image = _load_image(request.image)
    if not request.force:
        yield from busy.await_end_of_pour(request.port, wait=request.wait)
    for baud, slower in zip(request.bauds, [*request.bauds[1:], None], strict=True):
        try:
            yield from _flash_at(request, image, backups, baud)
        except LineUnreliableError as error:
            if slower is None:
                raise
            yield SlowedDown(slower, error.message)
        else:
            return


def _load_image(path: Path | None) -> MicroPythonImage | None:
    if path is None:
        return None
    content = read_given(
        path,
        what="an ESP32's flash",
        most=partition_table.LARGEST_FLASH,
        hint=micropython_image.WHERE_IMAGES_COME_FROM,
    )
    return micropython_image.parse(content, source=path.name)


def _flash_at(
    request: Request, image: MicroPythonImage | None, backups: Backups, baud: int
) -> Iterator[Event]:
    with rom.connect(request.port, baud=baud) as session:
        yield Connected(session.mac, session.flash_size, baud)
        check_mac(request.port, session.mac, request.expected_mac)
        image = image or _needed_image(request, session)
        target = _target(session, image)
        package = package_form.for_micropython(target.micropython, as_source=request.as_source)
        yield Prepared(package.form, package.reason)
        old = board_flash.find_filesystem(session, _regions(session, target))
        kept = yield from _keep(request, session, backups, old)
        files = {**kept, **package.files}
        built = littlefs_image.build(files, target.region.length, disk_version=target.disk_version)
        was_there = _write(request, session, image, built, target.region)
        yield Written(target.micropython, was_there, len(files))
        _verify(session, target.region, kept)
        backups.forget_underway(session.mac)
        yield Verified(len(kept))
        port = session.reset()
        try:
            started = boot.await_boot_line(port, request.boot_timeout_s)
        except DeadlineError as error:
            raise _with_suspect(error, kept) from error
    if started.version != VERSION:
        raise DamagedError(f"The board started firmware {started.version}, not {VERSION}.")
    yield started


def _with_suspect(error: DeadlineError, kept: dict[str, bytes]) -> DeadlineError:
    """The same with what else may be the reason: a `boot.py` of the board's own runs before the firmware."""
    if BOOT_PATH not in kept:
        return error
    suspect = f"{BOOT_PATH} is the board's own, stayed, and runs first: --erase starts without what stays."
    return DeadlineError(error.message, hint=f"{error.hint} {suspect}")


def _needed_image(request: Request, session: RomSession) -> MicroPythonImage | None:
    """The fallback for a board without MicroPython; None for one that has it."""
    try:
        board_flash.read_micropython_version(session, board_flash.read_partitions(session))
    except DamagedError as error:
        if request.fallback is None:
            raise UsageError(
                "There is no MicroPython on the board.",
                hint=f"Add --micropython FILE. {micropython_image.WHERE_IMAGES_COME_FROM}",
            ) from error
        return _load_image(request.fallback())
    return None


@dataclass(frozen=True)
class _Target:
    """Where files go and which MicroPython will read them."""

    region: Region
    micropython: str
    disk_version: int


def _target(session: RomSession, image: MicroPythonImage | None) -> _Target:
    if image is not None:
        region = partition_table.filesystem_region(image.partitions, session.flash_size)
        return _Target(region, image.version, image.disk_version)
    partitions = board_flash.read_partitions(session)
    version = board_flash.read_micropython_version(session, partitions)
    region = partition_table.filesystem_region(partitions, session.flash_size)
    return _Target(region, version, micropython_image.disk_version_of(version))


def _regions(session: RomSession, target: _Target) -> list[Region]:
    """Where old files may be: by the board's own table, and where the new ones go."""
    try:
        old = partition_table.filesystem_region(board_flash.read_partitions(session), session.flash_size)
    except DamagedError:  # blank, or cut while this was being written
        return [target.region]
    return [old, target.region]


def _keep(
    request: Request, session: RomSession, backups: Backups, old: FoundFilesystem
) -> Generator[Event, None, dict[str, bytes]]:
    """Save what the board holds and tell of it; returns what the new filesystem must hold beside our own files."""
    found = kept_files.find_and_save(session, old, backups, erasing=request.erase)
    is_foreign = old.kind in {"fat", "unknown"} and not found.resumed
    if found.replaced and found.backup is not None:
        yield Replaced(found.replaced, found.backup)
    dropped = (*found.files, *(() if found.readable else (UNREADABLE_WORDS,)))
    if request.erase and dropped:
        yield Dropping(dropped, found.backup)
    elif is_foreign:
        yield Dropping((FOREIGN_WORDS[old.kind],), None)
    backups.note_underway(session.mac, None if request.erase else found.backup)
    kept = {} if request.erase else found.files
    yield Kept(tuple(kept), found.backup, found.resumed)
    return kept


def _write(
    request: Request, session: RomSession, image: MicroPythonImage | None, built: BuiltImage, region: Region
) -> bool:
    """Write what differs; returns whether MicroPython was already there."""
    pieces = image.pieces() if image is not None else []
    was_there = all(session.holds(offset, data) for offset, data in pieces)
    if not was_there:
        session.write(pieces, lambda part: request.on_progress(part, "Writing MicroPython"))
    session.erase(region.offset, region.length if request.erase else littlefs_image.SUPERBLOCK_LENGTH)
    runs = [(region.offset + offset, data) for offset, data in built.runs()]
    session.write(runs, lambda part: request.on_progress(part, "Writing files"))
    return was_there


def _verify(session: RomSession, region: Region, kept: dict[str, bytes]) -> None:
    """Read the kept files back; what was written as a whole was compared by its MD5 already."""
    filesystem = board_flash.mount(session, region)
    for path, contents in kept.items():
        if filesystem.read_file(path) != contents:
            raise DamagedError(f"{path} does not read back as it was saved.", hint="Repeat the command.")
