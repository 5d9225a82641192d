"""The bridge's two ways to one port, what noise does on them, and what its plug does to the board behind it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest
from serial import serial_for_url

from dispctl.virtual.board import Board, State, Wiring
from dispctl.virtual.bridge import Bridge, PortTakenError
from dispctl.virtual.clock import BoardClock
from dispctl.virtual.flash import NorFlash
from tests.virtual.loader_host import SYNC, packet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

# pyserial's RFC 2217 client starts its reader thread with calls that Python has deprecated
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")

SYNC_FRAME = b"\xc0" + packet(0x08, SYNC) + b"\xc0"
ANSWER_BYTES = 14 * 8


@asynccontextmanager
async def waiting_board(folder: Path, *, pty: bool = False) -> AsyncIterator[tuple[Board, Bridge]]:
    """A board in download mode at the end of a plugged cable."""
    with closing(NorFlash(folder / "flash")) as flash:
        board = Board(Wiring(flash, BoardClock()))
        bridge = Bridge(board, pacing=False, pty_link=folder / "tty" if pty else None)
        await bridge.plug_in()
        board.power_on()
        board.reset(boot_button=True)
        yield board, bridge
        board.power_off()
        await bridge.unplug()


def sync(name: str, baud: int = 115200) -> int:
    """How many bytes the loader answers to a SYNC on the port called `name`."""
    with closing(serial_for_url(name, baud, timeout=2)) as port:
        port.write(SYNC_FRAME)
        return len(port.read(ANSWER_BYTES))


def test_both_ways_lead_to_the_one_board_each_at_its_speed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with waiting_board(tmp_path, pty=True) as (board, bridge):
            for name, baud in ((bridge.url, 921600), (str(tmp_path / "tty"), 57600)):
                board.reset(boot_button=True)
                assert await asyncio.to_thread(sync, name, baud) == ANSWER_BYTES
                assert bridge.board_baud == baud

    asyncio.run(scenario())


def test_noise_drowns_what_is_said_and_silence_brings_it_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with waiting_board(tmp_path) as (_, bridge):
            bridge.noise.set(1.0)
            assert await asyncio.to_thread(sync, bridge.url) == 0
            bridge.noise.set(0.0)
            assert await asyncio.to_thread(sync, bridge.url) == ANSWER_BYTES

    asyncio.run(scenario())


@pytest.mark.parametrize("keep_power", [False, True])
def test_the_power_comes_with_the_cable_unless_there_is_another(tmp_path: Path, *, keep_power: bool) -> None:
    async def scenario() -> None:
        async with waiting_board(tmp_path) as (board, bridge):
            await bridge.unplug(keep_power=keep_power)
            assert board.state is (State.DOWNLOAD if keep_power else State.OFF)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", int(bridge.url.rpartition(":")[2])))
            await bridge.plug_in()
            assert board.state is (State.DOWNLOAD if keep_power else State.NO_PROGRAM)

    asyncio.run(scenario())


def test_a_board_that_was_off_stays_off(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with waiting_board(tmp_path) as (board, bridge):
            board.power_off()
            await bridge.unplug()
            await bridge.plug_in()
            assert board.state is State.OFF

    asyncio.run(scenario())


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        with closing(NorFlash(tmp_path / "flash")) as flash, socket.create_server(("127.0.0.1", 0)) as taken:
            bridge = Bridge(Board(Wiring(flash, BoardClock())), pacing=False, port=taken.getsockname()[1])
            with pytest.raises(PortTakenError):
                await bridge.plug_in()
            assert not bridge.plugged

    asyncio.run(scenario())
