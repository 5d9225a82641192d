"""Where a board's saved job can be read and cleared: the running firmware, MicroPython's prompt, the bootloader, a file.

Each source gives the same `SavedFiles`; what they mean is not known here.
"""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from dispctl.adapters.given_file import TooLargeError, read_given
from dispctl.errors import BoardRefusedError, DamagedError, UsageError
from dispctl.image import littlefs_image, partition_table
from dispctl.image.littlefs_image import ReadOnlyFilesystem
from dispctl.operations import board_flash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dispctl.adapters.control import ControlLine
    from dispctl.adapters.repl import ReplSession
    from dispctl.adapters.rom import RomSession
    from dispctl.image.partition_table import Region

STATE_PREFIX = "job_state"
SETTINGS_NAME = "settings.json"
DEFAULT_ON_INTERRUPTED = "remainder"
WHAT_IS_A_DUMP = "Give a dump of the whole flash, or of the partition that holds the files."
FOREIGN = {
    "fat": "The board's files are in a FAT filesystem, as very old MicroPython made it.",
    "unknown": "Where the files should be is no filesystem of MicroPython.",
}


@dataclass(frozen=True)
class SavedFiles:
    """Files of ``/`` whose names begin with ``job_state``, as they are, and what decides how they are read.

    `filesystem` is ``littlefs`` or what is there instead (see `littlefs_image.recognise`); `damage` are sentences about
    what could not be read.
    """

    files: dict[str, bytes]
    on_interrupted: str = DEFAULT_ON_INTERRUPTED
    mac: str | None = None
    filesystem: str = "littlefs"
    damage: tuple[str, ...] = field(default=())


class Source(Protocol):
    """One way to a board's saved job."""

    def read(self) -> SavedFiles:
        """Everything that is saved; raises the errors of the way there."""

    def clear(self, names: list[str]) -> None:
        """Remove these files of ``/``."""

    def replace(self, old: list[str], new: dict[str, bytes]) -> None:
        """Remove the files `old` of ``/``, then write `new` in their order; raises UsageError where nothing is written."""


class ControlSource:
    """The running firmware, asked by control lines; nothing stops."""

    CHUNK_ATTEMPTS = 3

    def __init__(self, control: ControlLine, timeout_s: float) -> None:
        self._control = control
        self._timeout_s = timeout_s

    def read(self) -> SavedFiles:
        """See `Source`; raises BoardSilentError and BoardRefusedError."""
        names = [name for name in self._ask("job_state")["files"] if _is_state_name(name)]
        files = {name: self._read_file(name) for name in names}
        settings = self._ask("get_settings").get("settings", {})
        mac = self._ask("status").get("mac")
        return SavedFiles(files, settings.get("on_interrupted", DEFAULT_ON_INTERRUPTED), mac)

    def clear(self, names: list[str]) -> None:  # noqa: ARG002 - the firmware knows its own files
        """The firmware clears what it knows to be the job; refused while it pours."""
        self._ask("clear_job")

    def replace(self, old: list[str], new: dict[str, bytes]) -> None:  # noqa: ARG002 - a `Source` takes them
        """Raises UsageError."""
        raise UsageError(
            "The running firmware takes no saved job.", hint="Leave out --via, or use repl or rom."
        )

    def _read_file(self, name: str) -> bytes:
        """The whole file; read again when the firmware rewrote it meanwhile."""
        for _ in range(self.CHUNK_ATTEMPTS):
            data, size = b"", None
            while size is None or len(data) < size:
                answer = self._ask("job_state", file=name, offset=len(data))
                chunk = base64.b64decode(answer["data"])
                if size not in {None, answer["size"]} or (not chunk and answer["size"] > len(data)):
                    break
                size, data = answer["size"], data + chunk
            else:
                return data
        raise BoardRefusedError(f"{name} changed each time while it was read.", hint="Repeat the command.")

    def _ask(self, op: str, **fields: Any) -> dict[str, Any]:
        return self._control.request(op, timeout_s=self._timeout_s, **fields)


class ReplSource:
    """MicroPython's prompt; the program is stopped for it and restarted afterwards."""

    def __init__(self, session: ReplSession) -> None:
        self._session = session

    def read(self) -> SavedFiles:
        """See `Source`; raises BoardSilentError when talking breaks down."""
        names = self._session.names()
        files = {name: self._session.read_file(f"/{name}") for name in names if _is_state_name(name)}
        settings = self._session.read_file(f"/{SETTINGS_NAME}") if SETTINGS_NAME in names else b""
        return SavedFiles(files, _on_interrupted(settings), self._session.mac())

    def clear(self, names: list[str]) -> None:
        """See `Source`."""
        for name in names:
            self._session.remove_file(f"/{name}")

    def replace(self, old: list[str], new: dict[str, bytes]) -> None:
        """See `Source`; the job goes first, so that a cut leaves none rather than one without its progress."""
        self.clear(sorted(old))
        for name, contents in new.items():
            self._session.replace_file(f"/{name}", contents)


class RomSource:
    """The bootloader, for a board that does not start; only the blocks that are needed are read."""

    def __init__(self, session: RomSession) -> None:
        self._session = session

    def read(self) -> SavedFiles:
        """See `Source`; raises DamagedError when the partition table is damaged."""
        table = self._session.read(partition_table.TABLE_OFFSET, partition_table.TABLE_LENGTH)
        if table.count(0xFF) == len(table):
            return SavedFiles({}, mac=self._session.mac, filesystem="blank")
        region = self._region()
        kind = littlefs_image.recognise(self._session.read(region.offset, littlefs_image.SUPERBLOCK_LENGTH))
        if kind != "littlefs":
            return SavedFiles({}, mac=self._session.mac, filesystem=kind, damage=_foreign(kind))
        return _read_mounted(lambda: board_flash.mount(self._session, region), self._session.mac)

    def clear(self, names: list[str]) -> None:
        """Rewrite the blocks that change, one as a rule; the old ones are put back when that does not verify."""
        self.replace(names, {})

    def replace(self, old: list[str], new: dict[str, bytes]) -> None:
        """See `Source` and `clear`. The root folder lies in the first blocks: written last, they make it all count."""
        region = self._region()
        changes = littlefs_image.changed_blocks(
            lambda offset, length: self._session.read(region.offset + offset, length),
            region.length,
            [f"/{name}" for name in old],
            {f"/{name}": contents for name, contents in new.items()},
        )
        for change in reversed(changes):
            self._rewrite(region.offset + change.offset, change.old, change.new)

    def _rewrite(self, offset: int, old: bytes, new: bytes) -> None:
        try:
            self._session.write([(offset, new)], lambda _part: None)
        except DamagedError:
            self._session.write([(offset, old)], lambda _part: None)
            raise

    def _region(self) -> Region:
        try:
            partitions = board_flash.read_partitions(self._session)
        except DamagedError as error:
            raise DamagedError(
                f"The board's flash cannot be made sense of: {error.message}",
                hint="Write it anew: dispctl flash.",
            ) from error
        return partition_table.filesystem_region(partitions, self._session.flash_size)


class ImageSource:
    """A file with a dump of the whole flash, or of the partition that holds the files.

    Raises UsageError for a file that cannot be read, DamagedError for one that cannot be a dump.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._data = read_given(path, what="an ESP32's flash", most=partition_table.LARGEST_FLASH)
        except TooLargeError as error:
            raise DamagedError(error.message, hint=WHAT_IS_A_DUMP) from error
        if len(self._data) < littlefs_image.SUPERBLOCK_LENGTH:
            raise DamagedError(
                f"{path} is too short to be a dump of a flash ({len(self._data)} bytes).", hint=WHAT_IS_A_DUMP
            )

    def read(self) -> SavedFiles:
        """See `Source`; raises nothing."""
        dump = self._partition()
        kind = littlefs_image.recognise(dump[: littlefs_image.SUPERBLOCK_LENGTH])
        if kind != "littlefs":
            return SavedFiles({}, filesystem=kind, damage=_foreign(kind))
        return _read_mounted(
            lambda: ReadOnlyFilesystem(lambda offset, length: dump[offset : offset + length], len(dump)), None
        )

    def clear(self, names: list[str]) -> None:  # noqa: ARG002 - a `Source` takes them
        """Raises UsageError."""
        raise UsageError("An image file is only read.", hint="Clear the board itself: leave out --image.")

    def replace(self, old: list[str], new: dict[str, bytes]) -> None:  # noqa: ARG002 - a `Source` takes them
        """Raises UsageError."""
        raise UsageError("An image file is only read.", hint="Leave out --image.")

    def _partition(self) -> bytes:
        if littlefs_image.recognise(self._data[: littlefs_image.SUPERBLOCK_LENGTH]) == "littlefs":
            return self._data
        table = self._data[partition_table.TABLE_OFFSET :][: partition_table.TABLE_LENGTH]
        try:
            region = partition_table.filesystem_region(partition_table.parse(table), len(self._data))
        except DamagedError:
            return self._data
        return self._data[region.offset : region.end]


@contextmanager
def open_control_source(port: str, timeout_s: float) -> Iterator[Source]:
    """The running firmware on `port`."""
    from dispctl.adapters.control import open_control

    with open_control(port) as control:
        yield ControlSource(control, timeout_s)


@contextmanager
def open_repl_source(port: str) -> Iterator[Source]:
    """MicroPython's prompt on `port`."""
    from dispctl.adapters.repl import open_repl

    with open_repl(port) as session:
        yield ReplSource(session)


@contextmanager
def open_rom_source(port: str, baud: int | None) -> Iterator[Source]:
    """The bootloader on `port`, at `baud` or as fast as usual; the board is reset afterwards."""
    from dispctl.adapters import rom

    with rom.connect(port, baud=baud or rom.BAUD_LADDER[0]) as session:
        yield RomSource(session)
        session.reset()


def _read_mounted(mount: Any, mac: str | None) -> SavedFiles:
    """What a littlefs holds; damage becomes sentences, and what can be read is."""
    files: dict[str, bytes] = {}
    damage: list[str] = []
    settings = b""
    try:
        filesystem: ReadOnlyFilesystem = mount()
        paths = filesystem.paths()
    except DamagedError as error:
        return SavedFiles({}, mac=mac, damage=(error.message,))
    for name in (path[1:] for path in paths if path.count("/") == 1):
        try:
            if name == SETTINGS_NAME:
                settings = filesystem.read_file(f"/{name}")
            elif _is_state_name(name):
                files[name] = filesystem.read_file(f"/{name}")
        except DamagedError as error:
            damage.append(error.message)
    return SavedFiles(files, _on_interrupted(settings), mac, damage=tuple(damage))


def _is_state_name(name: str) -> bool:
    """One of the files that hold the saved job, and a name that stays in the folder it is put into."""
    return name.startswith(STATE_PREFIX) and not {"/", "\\", ":"} & set(name)


def _foreign(kind: str) -> tuple[str, ...]:
    return (FOREIGN[kind],) if kind in FOREIGN else ()


def _on_interrupted(settings: bytes) -> str:
    try:
        chosen = json.loads(settings)["on_interrupted"]
    except (ValueError, KeyError, TypeError):
        return DEFAULT_ON_INTERRUPTED
    return chosen if isinstance(chosen, str) else DEFAULT_ON_INTERRUPTED
