"""A program on a flash that takes its time: it stands still, Ctrl-C tears nothing, a power cut does."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003 - pytest's fixture

import pytest

from dispctl.virtual.board import State
from dispctl.virtual.flash import SECTOR_SIZE
from dispctl.virtual.flash_timing import SECTOR_ERASE_MS, FlashTiming
from tests.virtual.bench import PROMPT, Bench, bench

pytestmark = pytest.mark.micropython

BLOCKS = 40
ERASE = f"""
import esp32, time
(vfs,) = esp32.Partition.find(1, 129, label="vfs")
last = vfs.ioctl(4, 0) - {BLOCKS}
def erase():
    began = time.ticks_ms()
    for block in range({BLOCKS}):
        vfs.ioctl(6, last + block)
    return time.ticks_diff(time.ticks_ms(), began)
"""
END = 0x400000


def sectors(made: Bench) -> list[bytes]:
    """The flash's last blocks, which no file uses."""
    first = END - BLOCKS * SECTOR_SIZE
    return [made.board.flash.read(first + index * SECTOR_SIZE, SECTOR_SIZE) for index in range(BLOCKS)]


def fill(made: Bench) -> None:
    """Put zeros where `ERASE` erases, in no time."""
    made.board.flash.program(END - BLOCKS * SECTOR_SIZE, bytes(BLOCKS * SECTOR_SIZE))
    made.board.flash.take_busy_ms()


@pytest.mark.parametrize("speed", [10.0, 40.0])
def test_an_erase_stands_still_in_board_time(tmp_path: Path, speed: float) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", timing=FlashTiming(), speed=speed) as made:
            took_ms = int(await made.run(f"{ERASE}print(erase())"))
            assert took_ms >= BLOCKS * SECTOR_ERASE_MS[0]

    asyncio.run(scenario())


def test_a_power_cut_in_an_erase_leaves_one_sector_torn(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", timing=FlashTiming()) as made:
            fill(made)
            erases = made.board.flash.erases
            made.type(b"\x01" + ERASE.encode() + b"erase()\x04")
            await made.wait_for(lambda: made.board.flash.erases > erases + 3, what="no erases")
            made.board.power_off()
            found = sectors(made)
            erased = found.index(next(one for one in found if one != b"\xff" * SECTOR_SIZE))
            assert erased >= 3
            assert len(set(found[erased])) > 1, "nothing was torn"
            assert found[erased + 1 :] == [bytes(SECTOR_SIZE)] * (BLOCKS - erased - 1)
            made.board.power_on()
            await made.until(PROMPT)

    asyncio.run(scenario())


def test_ctrl_c_waits_for_the_flash(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", timing=FlashTiming()) as made:
            erases = made.board.flash.erases
            made.type("f = open('/n', 'w')\rwhile f.write('x' * 4096): f.flush()\r\r")
            await made.wait_for(lambda: made.board.flash.erases > erases, what="no erase")
            made.type(b"\x03")
            await made.until(PROMPT)
            assert "['boot.py', 'n']" in await made.run("f.close(); import os; print(sorted(os.listdir()))")
            assert made.board.state is State.RUNNING

    asyncio.run(scenario())
