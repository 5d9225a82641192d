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
    """The bytes and the counters; `cut_at` makes the power go at a program or erase.

    NOR rules: programming only clears bits, and littlefs has to know it.
    """

    def __init__(self, mains: "Mains", blocks: int = 128) -> None:
        self.data = bytearray(b"\xff" * (BLOCK_BYTES * blocks))
        self.blocks = blocks
        self.erases = 0
        self.programmed_bytes = 0
        self.operations = 0
        self.mains = mains
        self._cuts: dict[int, bool] = {}

    def cut_at(self, operation: int, torn: bool) -> None:
        """Cut the power at the `operation`th from now, which then does nothing or, `torn`, a part."""
        self._cuts[self.operations + operation] = torn

    def cut_no_more(self) -> None:
        """Take back the cuts that have not happened."""
        self._cuts = {}

    def change(self, start: int, contents: "Any") -> bool:
        """Program or erase: whether the power stayed on. Torn, the first part is done, and a byte in the middle half."""
        self.operations += 1
        if self.operations not in self._cuts:
            self.data[start : start + len(contents)] = contents
            return True
        if self._cuts.pop(self.operations):
            done = self.operations * 37 % len(contents)
            was, wanted = self.data[start + done], contents[done]
            self.data[start : start + done] = memoryview(contents)[:done]
            self.data[start + done] = was ^ ((was ^ wanted) & 0x5A)
        return False


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
        start = block * BLOCK_BYTES + offset
        assert self._chip.data[start] & buffer[0] == buffer[0], "programmed without an erase"
        self._change(start, buffer)
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
        if not self._chip.change(start, contents):
            self.dead = True
            self._chip.mains.cut()


class LittlefsStorage:
    """The firmware's storage on a chip, mounted anew at every boot."""

    def __init__(self, chip: Chip, clock: "FakeClock") -> None:
        self.chip = chip
        self._clock = clock
        options = {"readsize": _UNIT_BYTES, "progsize": _UNIT_BYTES, "lookahead": _UNIT_BYTES}
        self._options = options
        self._device = Device(chip)
        vfs.VfsLfs2.mkfs(self._device, **options)
        self.mount()

    def mount(self) -> None:
        """What the boot code does; nothing of the run before reaches the chip any more."""
        self._device.dead = True
        self._device = Device(self.chip)
        self._fs = vfs.VfsLfs2(self._device, **self._options)

    def read(self, name: str) -> bytes:
        with self._fs.open(name, "rb") as file:
            data: bytes = file.read()
        return data

    def write(self, name: str, data: bytes) -> None:
        self._put(name, "wb", data)

    def append(self, name: str, data: bytes) -> None:
        """What the firmware does not do; for comparison."""
        self._put(name, "ab", data)

    def _put(self, name: str, mode: str, data: bytes) -> None:
        self._check()
        erases = self.chip.erases
        with self._fs.open(name, mode) as file:
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
