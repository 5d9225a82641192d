"""The filesystem's part of the flash as MicroPython's block device; programs and erases go over the bus.

No method allocates: littlefs also calls them from finalisers, while the heap is locked.
"""

from runtime import bus

BLOCK_SIZE = 4096

_BLOCK_COUNT = 4
_SEC_SIZE = 5
_BLOCK_ERASE = 6


class _Chip:
    file = None


def set_up(path):
    """Read the flash from the file at `path`; to be called while the host's files can still be opened."""
    _Chip.file = open(path, "rb")


def size():
    """How many bytes it holds."""
    return _Chip.file.seek(0, 2)


class Partition:
    """A range of the flash, `offset` and `length` in bytes, as `esp32.Partition` offers it."""

    def __init__(self, offset, length):
        self.offset = offset
        self.length = length

    def readblocks(self, block, buffer, offset=0):
        _Chip.file.seek(self.offset + block * BLOCK_SIZE + offset)
        _Chip.file.readinto(buffer)
        return 0

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            return self._rewrite(block, buffer)
        return bus.program(self.offset + block * BLOCK_SIZE + offset, buffer)

    def ioctl(self, request, argument):
        if request == _BLOCK_COUNT:
            return self.length // BLOCK_SIZE
        if request == _SEC_SIZE:
            return BLOCK_SIZE
        if request == _BLOCK_ERASE:
            return bus.erase(self.offset + argument * BLOCK_SIZE)
        return 0

    def _rewrite(self, block, buffer):
        # The plain protocol: whole blocks, erased before they are written.
        for index in range(len(buffer) // BLOCK_SIZE):
            start = index * BLOCK_SIZE
            bus.erase(self.offset + block * BLOCK_SIZE + start)
            bus.program(
                self.offset + block * BLOCK_SIZE + start, memoryview(buffer)[start : start + BLOCK_SIZE]
            )
        return 0
