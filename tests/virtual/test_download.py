"""Download mode with a flash that takes its time: what is answered when, and what a power cut in between leaves."""

from __future__ import annotations

import asyncio
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dispctl.virtual import slip
from dispctl.virtual.download import Download
from dispctl.virtual.flash import NorFlash
from dispctl.virtual.flash_timing import PAGE_PROGRAM_MS, SECTOR_ERASE_MS, FlashTiming
from dispctl.virtual.rom_loader import RomLoader
from tests.virtual import virtual_time
from tests.virtual.loader_host import Host, data_packet, packet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLASH_BEGIN, FLASH_DATA, MD5 = 0x02, 0x03, 0x13
ERASE_REGION = 0xD1
PAGES = 8
BLOCK = bytes(256 * PAGES)


class Rig:
    """A loader in download mode with a slow flash, and its answers with the time of each."""

    def __init__(self, flash: NorFlash, *, stub: bool) -> None:
        self.flash = flash
        self.answers: list[tuple[int, float]] = []
        self.cuts = 0
        self._loop = asyncio.get_running_loop()
        loader = RomLoader(flash, bytes(6))
        if stub:
            Host(loader).start_stub()
        self.download = Download(
            loader,
            take_busy_s=lambda: flash.take_busy_ms() / 1000,
            later=lambda delay_s, call: self._loop.call_later(delay_s, call).cancel,
            answer=self._take,
            on_power_cut=self._count_cut,
        )

    def _take(self, data: bytes) -> None:
        for frame in slip.SlipReader(1 << 16).feed(data):
            self.answers.append((frame[1], self._loop.time()))

    def _count_cut(self) -> None:
        self.cuts += 1

    def send(self, *frames: bytes) -> None:
        for frame in frames:
            self.download.receive(slip.encode(frame))

    @property
    def times(self) -> list[float]:
        return [time for _, time in self.answers]


@contextmanager
def slow_flash(path: Path) -> Iterator[NorFlash]:
    flash = NorFlash(path, timing=FlashTiming())
    yield flash
    flash.close()


def begin(size: int, offset: int = 0) -> bytes:
    return packet(FLASH_BEGIN, struct.pack("<4I", size, 1, size, offset))


def test_the_rom_answers_when_the_flash_is_done(tmp_path: Path) -> None:
    async def scenario() -> None:
        with slow_flash(tmp_path / "flash") as flash:
            rig = Rig(flash, stub=False)
            rig.send(begin(len(BLOCK)), data_packet(FLASH_DATA, BLOCK))
            assert rig.times == []
            await asyncio.sleep(60)
            erased, programmed = rig.times
            assert erased >= SECTOR_ERASE_MS[0] / 1000
            assert programmed - erased >= PAGES * PAGE_PROGRAM_MS[0] / 1000

    virtual_time.run(scenario())


def test_the_stub_takes_the_next_block_while_it_writes_the_last(tmp_path: Path) -> None:
    async def scenario() -> None:
        with slow_flash(tmp_path / "flash") as flash:
            rig = Rig(flash, stub=True)
            rig.send(begin(2 * len(BLOCK)), data_packet(FLASH_DATA, BLOCK), data_packet(FLASH_DATA, BLOCK))
            rig.send(packet(MD5, struct.pack("<4I", 0, 2 * len(BLOCK), 0, 0)))
            await asyncio.sleep(60)
            began, first, second, digest = rig.times
            assert began == first == 0
            assert second >= (SECTOR_ERASE_MS[0] + PAGES * PAGE_PROGRAM_MS[0]) / 1000
            assert digest - second >= PAGES * PAGE_PROGRAM_MS[0] / 1000

    virtual_time.run(scenario())


def test_an_erase_is_answered_at_its_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        with slow_flash(tmp_path / "flash") as flash:
            rig = Rig(flash, stub=True)
            rig.send(packet(ERASE_REGION, struct.pack("<2I", 0x1000, 0x3000)))
            await asyncio.sleep(60)
            (erased,) = rig.times
            assert erased >= 3 * SECTOR_ERASE_MS[0] / 1000

    virtual_time.run(scenario())


@pytest.mark.parametrize("stub", [False, True])
def test_nothing_is_answered_after_the_end(tmp_path: Path, stub: bool) -> None:
    async def scenario() -> None:
        with slow_flash(tmp_path / "flash") as flash:
            rig = Rig(flash, stub=stub)
            rig.send(begin(len(BLOCK)), *[data_packet(FLASH_DATA, BLOCK)] * 3)
            so_far = len(rig.answers)
            rig.download.stop()
            await asyncio.sleep(60)
            assert len(rig.answers) == so_far
            rig.download.begin()
            rig.send(begin(len(BLOCK)))
            await asyncio.sleep(60)
            assert len(rig.answers) == so_far + 1

    virtual_time.run(scenario())


def test_a_power_cut_is_told_and_answers_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        with slow_flash(tmp_path / "flash") as flash:
            rig = Rig(flash, stub=False)
            flash.cut_at(2)
            rig.send(begin(len(BLOCK)), data_packet(FLASH_DATA, BLOCK))
            await asyncio.sleep(60)
            assert rig.cuts == 1
            assert len(rig.answers) == 1

    virtual_time.run(scenario())
