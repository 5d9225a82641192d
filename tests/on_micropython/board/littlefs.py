"""A flash chip in RAM under MicroPython's own littlefs, counting erases and programs. Only MicroPython has `vfs`.

Geometry as on an ESP32: blocks of 4096, read and program 32, lookahead 32.
"""

import errno

import vfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .fakes import FakeClock, Mains

BLOCK_BYTES = 4096
_UNIT_BYTES = 32
_IOCTL_COUNT, _IOCTL_SIZE, _IOCTL_ERASE = 4, 5, 6
_ERASED = b"\xff" * BLOCK_BYTES


class Chip:
    """The bytes and the counters; `cut_at` names the program or erase at which the power goes, `torn` half-done."""

    def __init__(self, mains: "Mains", blocks: int = 128) -> None:
        self.data = bytearray(b"\xff" * (BLOCK_BYTES * blocks))
        self.blocks = blocks
        self.erases = 0
        self.programmed_bytes = 0
        self.operations = 0
        self.cut_at = 0
        self.torn = False
        self.mains = mains

    def strikes(self) -> bool:
        """Count an operation; whether it is the one that the power goes at."""
        self.operations += 1
        return self.operations == self.cut_at


class Device:
    """One mount's view of the chip; after a cut it is dead, also for the finalisers of files left open."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self.dead = False

    def readblocks(self, block: int, buffer: "Any", offset: int = 0) -> int:
        if self.dead:
            return -errno.EIO
        start = block * BLOCK_BYTES + offset
        buffer[:] = memoryview(self._chip.data)[start : start + len(buffer)]
        return 0

    def writeblocks(self, block: int, buffer: "Any", offset: int = 0) -> int:
        if self.dead:
            return -errno.EIO
        self._change(block * BLOCK_BYTES + offset, buffer)
        self._chip.programmed_bytes += len(buffer)
        return 0

    def ioctl(self, request: int, argument: int) -> int:
        if request == _IOCTL_COUNT:
            return self._chip.blocks
        if request == _IOCTL_SIZE:
            return BLOCK_BYTES
        if request == _IOCTL_ERASE:
            if self.dead:
                return -errno.EIO
            self._change(argument * BLOCK_BYTES, _ERASED)
            self._chip.erases += 1
        return 0

    def _change(self, start: int, contents: "Any") -> None:
        chip = self._chip
        if chip.strikes():
            half = len(contents) // 2 if chip.torn else 0
            chip.data[start : start + half] = memoryview(contents)[:half]
            self.dead = True
            chip.mains.cut()
        chip.data[start : start + len(contents)] = contents


class LittlefsStorage:
    """The firmware's storage on a chip, mounted anew at every boot."""

    def __init__(self, chip: Chip, clock: "FakeClock") -> None:
        self.chip = chip
        self._clock = clock
        options = {"readsize": _UNIT_BYTES, "progsize": _UNIT_BYTES, "lookahead": _UNIT_BYTES}
        self._options = options
        vfs.VfsLfs2.mkfs(Device(chip), **options)
        self.mount()

    def mount(self) -> None:
        """What the boot code does."""
        self._fs = vfs.VfsLfs2(Device(self.chip), **self._options)

    def read(self, name: str) -> bytes:
        with self._fs.open(name, "rb") as file:
            data: bytes = file.read()
        return data

    def write(self, name: str, data: bytes) -> None:
        self._check()
        erases = self.chip.erases
        with self._fs.open(name, "wb") as file:
            file.write(data)
        self._clock.advance(2 + 45 * (self.chip.erases - erases))

    def rename(self, old: str, new: str) -> None:
        self._check()
        self._fs.rename(old, new)

    def remove(self, name: str) -> None:
        self._check()
        self._fs.remove(name)

    def names(self) -> "list[str]":
        return [entry[0] for entry in self._fs.ilistdir("/")]

    def size(self, name: str) -> int:
        size: int = self._fs.stat(name)[6]
        return size

    def _check(self) -> None:
        """After a cut nothing reaches the chip, in whatever state the mount was left."""
        self.chip.mains.check()
