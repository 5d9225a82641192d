"""littlefs as MicroPython makes it on an ESP32, built and read on the host; pure bytes in and out.

Geometry: blocks of 4096, read 32, program 32, lookahead 32, names up to 255 bytes. The cache is the board's own 128
bytes: it decides which files are stored inside metadata, and the board could not read longer ones from there.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from littlefs import LittleFS, LittleFSError, UserContext

from dispctl.errors import DamagedError
from dispctl.image.micropython_image import DISK_VERSION_2_1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BLOCK_SIZE = 4096
MAGIC = b"littlefs"
MAGIC_OFFSET = 8
"""Where a superblock carries the magic: in block 0, in block 1, or in both."""
SUPERBLOCK_LENGTH = 2 * BLOCK_SIZE

BY_SUPERBLOCK = 0
"""As a number of blocks: what the superblock says, so that a filesystem made for another layout is read as well."""
_GEOMETRY: dict[str, Any] = {
    "block_size": BLOCK_SIZE,
    "read_size": 32,
    "prog_size": 32,
    "cache_size": 128,
    "lookahead_size": 32,
    "name_max": 255,
}
_FAT_SIGNATURE = b"\x55\xaa"
_FAT_SIGNATURE_OFFSET = 510
_ERASED_BLOCK = b"\xff" * BLOCK_SIZE
_ERROR_IO = -5


@dataclass(frozen=True)
class BuiltImage:
    """A filesystem as the flash should hold it; blocks that littlefs does not use are erased in `data`.

    `used_blocks` are also those that hold nothing and are looked at all the same, the other halves of metadata pairs: what
    an older filesystem has left in one would count if it is of a higher revision.
    """

    data: bytes
    used_blocks: tuple[int, ...]

    def runs(self) -> list[tuple[int, bytes]]:
        """(offset, bytes) of each unbroken run of used blocks, the superblocks' run last.

        Written in this order over an erased superblock pair, a cut leaves either no filesystem or the whole one.
        """
        body = [run for run in _runs(self.used_blocks) if run[0] >= SUPERBLOCK_LENGTH // BLOCK_SIZE]
        head = (0, SUPERBLOCK_LENGTH // BLOCK_SIZE)
        return [
            (start * BLOCK_SIZE, self.data[start * BLOCK_SIZE : end * BLOCK_SIZE])
            for start, end in [*body, head]
        ]


class ReadOnlyFilesystem:
    """A mounted littlefs that can only be read; blocks come through `read`, each once.

    `read(offset, length)` gives bytes of the region, `length` its size. Raises DamagedError when it does not mount.
    """

    def __init__(self, read: Callable[[int, int], bytes], length: int) -> None:
        self._medium = _ReadOnlyMedium(read, length)
        # mount=True would format what it cannot mount.
        self._filesystem: Any = LittleFS(
            context=self._medium, mount=False, block_count=BY_SUPERBLOCK, **_GEOMETRY
        )
        with self._reading("The filesystem does not mount"):
            self._filesystem.mount()

    @property
    def blocks_read(self) -> int:
        """How many different blocks were needed so far."""
        return len(self._medium.blocks)

    @property
    def disk_version(self) -> int:
        """The littlefs disk version of the superblock, as 0xMMMMmmmm."""
        return int(self._filesystem.fs_stat().disk_version)

    def paths(self) -> list[str]:
        """Every file, as ``/folder/name``, sorted. Raises DamagedError when a folder cannot be read."""
        with self._reading("The folders of the filesystem cannot be read"):
            return sorted(self._walk("/"))

    def read_file(self, path: str) -> bytes:
        """The contents of `path`. Raises DamagedError when they cannot be read."""
        with (
            self._reading(f"{path} cannot be read from the filesystem"),
            self._filesystem.open(path, "rb") as file,
        ):
            return bytes(file.read())

    @contextmanager
    def _reading(self, failure: str) -> Iterator[None]:
        try:
            yield
        except (LittleFSError, OSError, MemoryError, UnicodeDecodeError) as error:
            self._medium.raise_failure()
            raise DamagedError(f"{failure}: {error}.") from error
        self._medium.raise_failure()

    def _walk(self, folder: str) -> Iterator[str]:
        for entry in self._filesystem.scandir(folder):
            path = f"{folder}{entry.name}"
            if entry.type == entry.TYPE_DIR:
                yield from self._walk(f"{path}/")
            else:
                yield path


def build(files: Mapping[str, bytes], length: int, *, disk_version: int = DISK_VERSION_2_1) -> BuiltImage:
    """A filesystem of `length` bytes with `files` (absolute path to contents) in it.

    Raises DamagedError when they do not fit or a path cannot be stored.
    """
    medium = _RecordingMedium(length)
    filesystem: Any = LittleFS(
        context=medium, mount=False, block_count=length // BLOCK_SIZE, disk_version=disk_version, **_GEOMETRY
    )
    try:
        filesystem.format()
        filesystem.mount()
        for path, contents in files.items():
            _write(filesystem, path, contents)
        filesystem.unmount()
    except (LittleFSError, OSError) as error:
        raise DamagedError(
            f"The files do not fit into a filesystem of {length // 1024} KiB: {error}.",
            hint="Remove files from the board, or use --erase to drop those that are not ours.",
        ) from error
    return BuiltImage(bytes(medium.buffer), tuple(sorted(medium.used)))


@dataclass(frozen=True)
class Change:
    """A block that has to be rewritten: at `offset` of the region, from `old` to `new`."""

    offset: int
    old: bytes
    new: bytes


def changed_blocks(
    read: Callable[[int, int], bytes], length: int, removed: list[str], added: Mapping[str, bytes]
) -> list[Change]:
    """The blocks that change, ascending, when `removed` go from the littlefs that `read` reads and `added` come.

    Nothing is written. Raises DamagedError when it does not mount, a path is not there or there is no room.
    """
    before = ReadOnlyFilesystem(read, length)
    medium = _Overlay(read, length)
    filesystem: Any = LittleFS(
        context=medium, mount=False, block_count=BY_SUPERBLOCK, disk_version=before.disk_version, **_GEOMETRY
    )
    try:
        filesystem.mount()
        for path in removed:
            filesystem.remove(path)
        for path, contents in added.items():
            _write(filesystem, path, contents)
        filesystem.unmount()
    except (LittleFSError, OSError) as error:
        medium.raise_failure()
        raise DamagedError(f"The filesystem does not let itself be changed: {error}.") from error
    medium.raise_failure()
    return medium.changes()


def recognise(head: bytes) -> str:
    """What the first two blocks of a region are: ``littlefs``, ``fat``, ``blank`` or ``unknown``.

    MicroPython's table says ``fat`` whatever is there, so only the contents tell.
    """
    magic_ends = MAGIC_OFFSET + len(MAGIC)
    if any(head[start + MAGIC_OFFSET : start + magic_ends] == MAGIC for start in (0, BLOCK_SIZE)):
        return "littlefs"
    if head[_FAT_SIGNATURE_OFFSET : _FAT_SIGNATURE_OFFSET + 2] == _FAT_SIGNATURE:
        return "fat"
    return "blank" if head.count(0xFF) == len(head) else "unknown"


class _ReadOnlyMedium(UserContext):
    """Reads whole blocks, keeps them, and refuses to program or erase.

    littlefs's binding swallows what is raised in here and goes on with arbitrary bytes, so a failure (a pulled cable,
    Ctrl-C) is kept, for the caller of littlefs to raise.
    """

    def __init__(self, read: Callable[[int, int], bytes], length: int) -> None:
        super().__init__(buffsize=0)
        self._read = read
        self._length = length
        self._failure: BaseException | None = None
        self.blocks: dict[int, bytes] = {}

    def raise_failure(self) -> None:
        """Raise what went wrong while littlefs read, if anything did."""
        if self._failure is not None:
            raise self._failure

    def read(self, _cfg: Any, block: int, off: int, size: int) -> bytearray:
        if block not in self.blocks and self._failure is None:
            try:
                self.blocks[block] = self._read_block(block)
            except BaseException as error:  # noqa: BLE001 - raised again by raise_failure
                self._failure = error
        return bytearray(self.blocks.get(block, _ERASED_BLOCK)[off : off + size])

    def _read_block(self, block: int) -> bytes:
        start = block * BLOCK_SIZE
        if start + BLOCK_SIZE > self._length:
            raise DamagedError(f"The filesystem reaches beyond its {self._length // 1024} KiB.")
        return self._read(start, BLOCK_SIZE)

    def prog(self, _cfg: Any, _block: int, _off: int, _data: bytes) -> int:
        return _ERROR_IO

    def erase(self, _cfg: Any, _block: int) -> int:
        return _ERROR_IO


class _Overlay(_ReadOnlyMedium):
    """Takes changes in memory, over blocks that are only read."""

    def __init__(self, read: Callable[[int, int], bytes], length: int) -> None:
        super().__init__(read, length)
        self._old: dict[int, bytes] = {}

    def prog(self, cfg: Any, block: int, off: int, data: bytes) -> int:
        contents = bytearray(self.read(cfg, block, 0, BLOCK_SIZE))
        contents[off : off + len(data)] = data
        self._change(block, bytes(contents))
        return 0

    def erase(self, cfg: Any, block: int) -> int:
        self.read(cfg, block, 0, BLOCK_SIZE)
        self._change(block, _ERASED_BLOCK)
        return 0

    def changes(self) -> list[Change]:
        """What differs from the medium, by block."""
        return [
            Change(block * BLOCK_SIZE, old, self.blocks[block])
            for block, old in sorted(self._old.items())
            if self.blocks[block] != old
        ]

    def _change(self, block: int, contents: bytes) -> None:
        self._old.setdefault(block, self.blocks.get(block, _ERASED_BLOCK))
        self.blocks[block] = contents


class _RecordingMedium(UserContext):
    """Memory that remembers which blocks hold something or are looked at."""

    def __init__(self, length: int) -> None:
        super().__init__(buffsize=0)  # older versions of the library take no buffer
        self.buffer = bytearray(b"\xff" * length)
        self.used: set[int] = {0, 1}

    def read(self, cfg: Any, block: int, off: int, size: int) -> bytearray:
        self.used.add(block)
        return bytearray(super().read(cfg, block, off, size))

    def prog(self, cfg: Any, block: int, off: int, data: bytes) -> int:
        self.used.add(block)
        return int(super().prog(cfg, block, off, data))


def _write(filesystem: Any, path: str, contents: bytes) -> None:
    folder = path.rsplit("/", 1)[0]
    if folder:
        filesystem.makedirs(folder, exist_ok=True)
    with filesystem.open(path, "wb") as file:
        file.write(contents)


def _runs(blocks: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Unbroken (start, end) runs of ascending block numbers, broken also after the superblock pair."""
    start = previous = None
    for block in blocks:
        if start is None or previous is None:
            start = block
        elif block != previous + 1 or block == SUPERBLOCK_LENGTH // BLOCK_SIZE:
            yield start, previous + 1
            start = block
        previous = block
    if start is not None and previous is not None:
        yield start, previous + 1
