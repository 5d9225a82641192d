"""A virtual board as a process: flash file, cable and control served, and registered by name, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dispctl.virtual import processor
from dispctl.virtual.board import DEFAULT_MAC, Board, Wiring
from dispctl.virtual.clock import BoardClock
from dispctl.virtual.control_server import Control, serve_control
from dispctl.virtual.flash import NorFlash
from dispctl.virtual.radio import DEFAULT_NETWORKS
from dispctl.virtual.registry import Entry, registered
from dispctl.virtual.rfc2217 import Rfc2217Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

HOST = "127.0.0.1"


class PortTakenError(Exception):
    """Something else listens on the TCP port asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(f"TCP port {port} is taken.")
        self.port = port


@dataclass(frozen=True)
class Settings:
    """How a board is served.

    `rfc2217_port` 0 is any free one; `speed` is board time over host time; `pacing` lets bytes pass at the line's speed
    (never when time runs faster: the host's end of the line does not).
    """

    name: str
    flash: Path
    registry: Path
    rfc2217_port: int = 0
    speed: float = 1.0
    pacing: bool = True
    networks: Mapping[str, str] = field(default_factory=lambda: DEFAULT_NETWORKS)
    power: bool = True
    mac: bytes = DEFAULT_MAC


def serve(settings: Settings, on_ready: Callable[[Entry], None]) -> None:
    """Run the board until SIGINT, SIGTERM or ``sim stop``; `on_ready` is called once the cable can be used.

    Raises `InterpreterMissingError`, `PortTakenError` and `FlashFileError`.
    """
    processor.find_interpreter()
    asyncio.run(_serve(settings, on_ready))


async def _serve(settings: Settings, on_ready: Callable[[Entry], None]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with running_board(settings, stopped.set) as (board, entry):
        with registered(settings.registry, entry):
            if settings.power:
                board.power_on()
            on_ready(entry)
            await stopped.wait()


@contextlib.asynccontextmanager
async def running_board(settings: Settings, stop: Callable[[], None]) -> AsyncIterator[tuple[Board, Entry]]:
    """A board with its cable and control, off; `stop` is called when ``sim stop`` asks for it. Errors as `serve`."""
    flash = NorFlash(settings.flash)
    paced = settings.pacing and settings.speed == 1
    board = Board(
        Wiring(
            flash, BoardClock(settings.speed), settings.mac, networks=settings.networks, paced=settings.pacing
        )
    )
    cable = Rfc2217Server(
        on_data=board.receive, on_lines=board.set_lines, on_baud=board.set_line_baud, pacing=paced
    )
    board.attach(cable)
    try:
        port = await _listen(cable, settings.rfc2217_port)
        control = await serve_control(Control(board, stop), HOST)
        control_port = control.sockets[0].getsockname()[1]
        cable_name = f"rfc2217://{HOST}:{port}"
        yield (
            board,
            Entry(settings.name, os.getpid(), cable_name, f"{HOST}:{control_port}", str(settings.flash)),
        )
        control.close()
    finally:
        board.power_off()
        await cable.close()
        flash.close()


async def _listen(cable: Rfc2217Server, port: int) -> int:
    try:
        return await cable.start(HOST, port)
    except OSError as error:
        raise PortTakenError(port) from error
