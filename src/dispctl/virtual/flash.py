"""The NOR flash chip: a file under NOR rules, with counters and a power cut at will; knows no protocol.

The rules are those of common 4 MB SPI NOR chips: an erase sets a sector of 4 KiB to all ones, programming only
clears bits, and either can be torn by a power cut.
"""

from __future__ import annotations

import mmap
import os
import random
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from dispctl.virtual.flash_timing import FlashTiming

SECTOR_SIZE = 4096
ERASED = 0xFF
DEFAULT_SIZE = 4 * 1024 * 1024

_Change: TypeAlias = tuple[int, bytes, bytes]  # where, what was there, what is


class FlashFileError(Exception):
    """The file cannot stand for this flash chip (its size differs)."""


class FlashRangeError(ValueError):
    """An address beyond the end of the flash, or one that is not on a sector's edge where it must be."""


class PowerCutError(Exception):
    """The power went during a flash operation, as asked for with `NorFlash.cut_at`: the board must stop here."""


class StatusRegisters:
    """The chip's three status registers: what they are `now`, and what they are again after a power cut."""

    def __init__(self) -> None:
        self.now = bytes(3)
        self._kept = self.now

    def write(self, first: int, data: bytes, *, for_good: bool) -> None:
        """Set registers from number `first` on, `for_good` or until the power goes; what is beyond the last is lost."""
        self.now = (self.now[:first] + data + self.now[first + len(data) :])[: len(self.now)]
        if for_good:
            self._kept = self.now

    def power_lost(self) -> None:
        """What was not written for good is as it was."""
        self.now = self._kept


class NorFlash:
    """A flash chip of `size` bytes kept in the file at `path`, which is created blank when it is missing.

    The file is mapped shared, so that another process that opens it sees every change at once.

    Counters, from 0 when the object is made: `operations` (one for each program and each erased sector), `erases`
    (sectors) and `programmed_bytes`. An operation that was cut counts in `operations` only.

    With a `timing` operations take time: they are seen at once, and `take_busy_ms` tells how long they should have taken.
    """

    def __init__(self, path: Path, size: int = DEFAULT_SIZE, timing: FlashTiming | None = None) -> None:
        self.path = path
        self.size = size
        self.status = StatusRegisters()
        self.operations = 0
        self.erases = 0
        self.programmed_bytes = 0
        self._cut_operation: int | None = None
        self._torn = False
        self._random = random.Random()  # noqa: S311 - tears bits; nothing secret
        self._map = _map_file(path, size)
        self._timing = timing
        self._busy_ms = 0.0
        self._since_taken: list[_Change] = []
        self._under_way: list[_Change] = []

    def close(self) -> None:
        """Release the file; what was written stays in it."""
        self._map.close()

    def read(self, offset: int, length: int) -> bytes:
        """The `length` bytes from `offset`; raises `FlashRangeError` beyond the end."""
        self._check_range(offset, length)
        return self._map[offset : offset + length]

    def program(self, offset: int, data: bytes) -> None:
        """Clear the bits that are 0 in `data` from `offset` on: one operation, of any length.

        Raises `FlashRangeError` beyond the end and `PowerCutError` where `cut_at` said so.
        """
        self._check_range(offset, len(data))
        old = self._map[offset : offset + len(data)]
        new = _and(old, data)
        self._begin_operation(offset, old, new)
        self._map[offset : offset + len(data)] = new
        self.programmed_bytes += len(data)
        if self._timing is not None:
            self._busy_ms += self._timing.program_ms(offset, len(data))

    def erase_sector(self, offset: int) -> None:
        """Set the sector at `offset`, a multiple of 4096, to all ones: one operation. Errors as `program`."""
        self.erase(offset, SECTOR_SIZE)

    def erase(self, offset: int, length: int) -> None:
        """Erase the sectors of [`offset`, `offset` + `length`), both multiples of 4096: one operation each."""
        self._check_range(offset, length)
        if offset % SECTOR_SIZE:
            raise FlashRangeError(f"{offset:#x} is not the beginning of a sector of {SECTOR_SIZE} bytes")
        if length % SECTOR_SIZE:
            raise FlashRangeError(f"{length:#x} is not a whole number of sectors of {SECTOR_SIZE} bytes")
        for sector in range(offset, offset + length, SECTOR_SIZE):
            self._set_sector(sector)
        if self._timing is not None:
            self._busy_ms += self._timing.erase_ms(offset, length, self.size)

    def take_busy_ms(self) -> float:
        """How long the chip needs, in board time, for the operations since this was asked last; 0 without a timing."""
        busy_ms, self._busy_ms = self._busy_ms, 0.0
        self._under_way, self._since_taken = self._since_taken, []
        return busy_ms

    def lose_power(self, done: float) -> None:
        """The power went while the chip was busy with what `take_busy_ms` told of last, `done` (0 to 1) of it over.

        What had not begun is undone, and what was under way is torn.
        """
        if not self._under_way:
            return
        current = min(int(done * len(self._under_way)), len(self._under_way) - 1)
        for offset, old, _new in reversed(self._under_way[current + 1 :]):
            self._map[offset : offset + len(old)] = old
        offset, old, new = self._under_way[current]
        self._map[offset : offset + len(old)] = self._tear(old, new)
        self._under_way = []

    def cut_at(self, operation: int | None, *, torn: bool = False, seed: int = 0) -> None:
        """Cut the power at the operation that would make `operations` equal `operation`; None takes it back.

        That operation changes nothing or, if `torn`, leaves some of its bits changed, the same for the same `seed`;
        then `PowerCutError` is raised. It happens once: what follows works again, as after a restart.
        """
        self._cut_operation = operation
        self._torn = torn
        self._random.seed(seed)

    def _set_sector(self, offset: int) -> None:
        old = self._map[offset : offset + SECTOR_SIZE]
        new = bytes([ERASED]) * SECTOR_SIZE
        self._begin_operation(offset, old, new)
        self._map[offset : offset + SECTOR_SIZE] = new
        self.erases += 1

    def _begin_operation(self, offset: int, old: bytes, new: bytes) -> None:
        self.operations += 1
        if self._cut_operation is None or self.operations < self._cut_operation:
            if self._timing is not None:
                self._since_taken.append((offset, old, new))
            return
        self._cut_operation = None
        if self._torn:
            self._map[offset : offset + len(old)] = self._tear(old, new)
        raise PowerCutError(f"the power was cut at flash operation {self.operations}, address {offset:#x}")

    def _tear(self, old: bytes, new: bytes) -> bytes:
        """`old` on the way to `new`: done up to a random byte, in which a random set of bits has changed."""
        edge = self._random.randrange(len(old) + 1)
        mixed = bytes(
            was ^ ((was ^ will) & self._random.randrange(256))
            for was, will in zip(old[edge : edge + 1], new[edge : edge + 1], strict=True)
        )
        return new[:edge] + mixed + old[edge + 1 :]

    def _check_range(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise FlashRangeError(
                f"[{offset:#x}, {offset + length:#x}) is not within the {self.size:#x} bytes of the flash"
            )


def _and(old: bytes, data: bytes) -> bytes:
    both = int.from_bytes(old, "little") & int.from_bytes(data, "little")
    return both.to_bytes(len(old), "little")


def _map_file(path: Path, size: int) -> mmap.mmap:
    if not path.exists() or path.stat().st_size == 0:
        # Only its owner may read it: as on a real flash, the network's password and the board's token are on it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes([ERASED]) * size)
    if path.stat().st_size != size:
        raise FlashFileError(f"{path} has {path.stat().st_size} bytes, not the flash's {size}")
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        return mmap.mmap(descriptor, size, access=mmap.ACCESS_WRITE)
    finally:
        os.close(descriptor)
