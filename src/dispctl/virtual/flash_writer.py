"""A download into the flash, as the ROM loader and the stub do it; knows neither frames nor commands."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from dispctl.virtual.flash import SECTOR_SIZE

if TYPE_CHECKING:
    from dispctl.virtual.flash import NorFlash

PAGE_SIZE = 256
BLOCK_SIZE = 0x1_0000


class TooMuchDataError(Exception):
    """Data came after the announced size was complete."""


class InflateError(Exception):
    """The compressed stream is damaged."""


class FlashWriter:
    """Writes `size` bytes from `offset` on, in blocks as they come.

    With `erase_first` every sector touched is erased in the beginning, as the ROM does; else each just before its
    first byte is written, as the stub does, which takes blocks of 64 KiB where all of one will be written. Raises `FlashRangeError` and `PowerCutError` as the flash does.
    """

    def __init__(
        self, flash: NorFlash, offset: int, size: int, *, erase_first: bool, compressed: bool = False
    ) -> None:
        self._flash = flash
        self._next = offset
        self._end = offset + size
        self._erased_to = offset - offset % SECTOR_SIZE
        self._inflater = zlib.decompressobj() if compressed else None
        self._erase_end = self._end + -self._end % SECTOR_SIZE
        if erase_first:
            self._flash.erase(self._erased_to, self._erase_end - self._erased_to)
            self._erased_to = self._erase_end

    @property
    def remaining(self) -> int:
        """How many bytes have not been written yet."""
        return self._end - self._next

    def write(self, block: bytes) -> None:
        """Take the next block. Padding after the last byte is ignored; raises `TooMuchDataError` for more than that.

        A compressed block is written as far as it can be inflated; raises `InflateError` if it cannot.
        """
        if self._inflater is None:
            self._write_plain(block)
            return
        try:
            data = self._inflater.decompress(block)
        except zlib.error as error:
            raise InflateError(str(error)) from error
        if len(data) > self.remaining:
            raise TooMuchDataError
        self._program(data)

    def _write_plain(self, block: bytes) -> None:
        if not self.remaining:
            raise TooMuchDataError
        self._program(block[: self.remaining])

    def _program(self, data: bytes) -> None:
        self._erase_to(self._next + len(data))
        position = 0
        while position < len(data):
            room = PAGE_SIZE - self._next % PAGE_SIZE
            page = data[position : position + room]
            self._flash.program(self._next, page)
            self._next += len(page)
            position += len(page)

    def _erase_to(self, end: int) -> None:
        while self._erased_to < end:
            rest = self._erase_end - self._erased_to
            is_block = self._erased_to % BLOCK_SIZE == 0 and rest >= BLOCK_SIZE
            length = BLOCK_SIZE if is_block else SECTOR_SIZE
            self._flash.erase(self._erased_to, length)
            self._erased_to += length
