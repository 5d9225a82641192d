"""How long a NOR flash chip is busy with an operation; knows numbers, not contents.

Typical and maximum times are those of a Winbond W25Q32JV (data sheet, "AC electrical characteristics"): page program
0.7 to 3 ms, sector erase 45 to 400 ms, 64 KiB block erase 150 to 2000 ms, chip erase 10 to 50 s. How they spread between
the two no data sheet says; here most are near the typical time, and a few take as long as they may.
"""

from __future__ import annotations

import random

PAGE_SIZE = 256
SECTOR_SIZE = 4096
BLOCK_SIZE = 0x1_0000

PAGE_PROGRAM_MS = (0.7, 3.0)
SECTOR_ERASE_MS = (45.0, 400.0)
BLOCK_ERASE_MS = (150.0, 2000.0)
CHIP_ERASE_MS = (10_000.0, 50_000.0)
_TAIL = (
    8  # the power that a uniform random number is raised to: the mean lies a ninth of the way to the maximum
)


class FlashTiming:
    """Draws durations in milliseconds of board time; the same for the same `seed`."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - durations; nothing secret

    def program_ms(self, offset: int, length: int) -> float:
        """For programming `length` bytes from `offset` on, page by page."""
        pages = (offset + length + PAGE_SIZE - 1) // PAGE_SIZE - offset // PAGE_SIZE
        return sum(self._draw(PAGE_PROGRAM_MS) for _ in range(pages))

    def erase_ms(self, offset: int, length: int, chip_size: int) -> float:
        """For erasing whole sectors, by blocks of 64 KiB where they fit, or the whole chip by its one command."""
        if length == chip_size:
            return self._draw(CHIP_ERASE_MS)
        total_ms = 0.0
        end = offset + length
        while offset < end:
            is_block = offset % BLOCK_SIZE == 0 and end - offset >= BLOCK_SIZE
            total_ms += self._draw(BLOCK_ERASE_MS if is_block else SECTOR_ERASE_MS)
            offset += BLOCK_SIZE if is_block else SECTOR_SIZE
        return total_ms

    def _draw(self, between: tuple[float, float]) -> float:
        typical, maximum = between
        return typical + (maximum - typical) * self._random.random() ** _TAIL
