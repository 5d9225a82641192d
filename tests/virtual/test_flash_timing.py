"""How long flash operations take, and what a power cut in the middle of one leaves."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dispctl.virtual.flash import SECTOR_SIZE, NorFlash
from dispctl.virtual.flash_timing import (
    BLOCK_ERASE_MS,
    BLOCK_SIZE,
    CHIP_ERASE_MS,
    PAGE_PROGRAM_MS,
    SECTOR_ERASE_MS,
    FlashTiming,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHIP = 4 << 20


@pytest.fixture
def flash(tmp_path: Path) -> Iterator[NorFlash]:
    with closing(NorFlash(tmp_path / "flash", timing=FlashTiming())) as made:
        yield made


@pytest.mark.parametrize(
    ("offset", "length", "sectors", "blocks"),
    [
        (0x1000, SECTOR_SIZE, 1, 0),
        (0x1000, BLOCK_SIZE, 16, 0),
        (0x10000, BLOCK_SIZE, 0, 1),
        (0xF000, 2 * BLOCK_SIZE + 2 * SECTOR_SIZE, 2, 2),
    ],
)
def test_erases_take_blocks_where_they_fit(offset: int, length: int, sectors: int, blocks: int) -> None:
    for seed in range(20):
        took_ms = FlashTiming(seed).erase_ms(offset, length, CHIP)
        least, most = (sectors * SECTOR_ERASE_MS[i] + blocks * BLOCK_ERASE_MS[i] for i in (0, 1))
        assert least <= took_ms <= most


def test_times_are_mostly_typical_and_sometimes_long() -> None:
    timing = FlashTiming()
    times = sorted(timing.erase_ms(0x1000, SECTOR_SIZE, CHIP) for _ in range(1000))
    assert times[500] < 1.2 * SECTOR_ERASE_MS[0]
    assert times[-1] > 0.9 * SECTOR_ERASE_MS[1]


def test_the_whole_chip_has_a_command_of_its_own() -> None:
    assert CHIP_ERASE_MS[0] <= FlashTiming().erase_ms(0, CHIP, CHIP) <= CHIP_ERASE_MS[1]


def test_pages_are_counted_from_edge_to_edge() -> None:
    two_pages = FlashTiming().program_ms(0xFF, 2)
    assert 2 * PAGE_PROGRAM_MS[0] <= two_pages <= 2 * PAGE_PROGRAM_MS[1]


def test_the_flash_tells_how_long_it_is_busy_once(flash: NorFlash) -> None:
    flash.erase_sector(0)
    flash.program(0, bytes(10))
    assert flash.take_busy_ms() >= SECTOR_ERASE_MS[0] + PAGE_PROGRAM_MS[0]
    assert flash.take_busy_ms() == 0


@pytest.mark.parametrize(("done", "finished"), [(0.0, 0), (0.5, 2), (0.99, 3), (1.0, 3)])
def test_a_power_cut_undoes_what_had_not_begun(flash: NorFlash, done: float, finished: int) -> None:
    flash.program(0, bytes(4 * SECTOR_SIZE))
    flash.take_busy_ms()
    flash.erase(0, 4 * SECTOR_SIZE)
    flash.take_busy_ms()
    flash.lose_power(done)
    sectors = [flash.read(sector * SECTOR_SIZE, SECTOR_SIZE) for sector in range(4)]
    assert sectors[:finished] == [b"\xff" * SECTOR_SIZE] * finished
    assert sectors[finished + 1 :] == [bytes(SECTOR_SIZE)] * (3 - finished)


def test_without_anything_under_way_a_power_cut_changes_nothing(flash: NorFlash) -> None:
    flash.program(0, b"kept")
    flash.take_busy_ms()
    flash.take_busy_ms()
    flash.lose_power(0.5)
    assert flash.read(0, 4) == b"kept"
