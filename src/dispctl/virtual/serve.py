"""A virtual board as a process: flash file, cable and control served, and registered by name, until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dispctl.virtual import processor
from dispctl.virtual.board import DEFAULT_MAC, Board, Wiring
from dispctl.virtual.bridge import HOST, Bridge
from dispctl.virtual.clock import BoardClock
from dispctl.virtual.control_server import Control, serve_control
from dispctl.virtual.flash import NorFlash
from dispctl.virtual.flash_timing import FlashTiming
from dispctl.virtual.radio import DEFAULT_NETWORKS
from dispctl.virtual.registry import Entry, registered
from dispctl.virtual.relays import Relays

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

OUI = bytes.fromhex("24 6f 28")  # Espressif's


def mac_of(name: str) -> bytes:
    """The MAC of the board called `name`: always the same, and another for another name."""
    return OUI + hashlib.sha256(name.encode()).digest()[:3]


@dataclass(frozen=True)
class Settings:
    """How a board is served.

    `rfc2217_port` 0 is any free one; `pty` adds a pseudo-terminal; `speed` is board time over host time; `pacing` lets
    bytes pass at the line's speed (never when time runs faster: the host's end of the line does not); `flash_timing` lets
    flash operations take a real chip's time.
    """

    name: str
    flash: Path
    registry: Path
    rfc2217_port: int = 0
    speed: float = 1.0
    pacing: bool = True
    networks: Mapping[str, str] = field(default_factory=lambda: DEFAULT_NETWORKS)
    power: bool = True
    pty: bool = False
    mac: bytes = DEFAULT_MAC
    relays: Relays = field(default_factory=Relays)
    flash_timing: bool = False

    @property
    def pty_link(self) -> Path | None:
        """Where the pseudo-terminal is found, if there is to be one."""
        return self.registry / f"{self.name}.tty" if self.pty else None


def serve(settings: Settings, on_ready: Callable[[Entry], None]) -> None:
    """Run the board until SIGINT, SIGTERM or ``sim stop``; `on_ready` is called once the cable can be used.

    Raises `InterpreterMissingError`, `PortTakenError`, `PtyUnavailableError` and `FlashFileError`.
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
    flash = NorFlash(settings.flash, timing=FlashTiming() if settings.flash_timing else None)
    try:
        board = Board(_wiring(settings, flash))
        pacing = settings.pacing and settings.speed == 1
        bridge = Bridge(board, pacing=pacing, port=settings.rfc2217_port, pty_link=settings.pty_link)
        try:
            await bridge.plug_in()
            control = await serve_control(Control(board, bridge, stop), HOST)
            yield board, _entry(settings, bridge, control)
            control.close()
        finally:
            board.power_off()
            await bridge.unplug()
    finally:
        flash.close()


def _wiring(settings: Settings, flash: NorFlash) -> Wiring:
    return Wiring(
        flash,
        BoardClock(settings.speed),
        mac=settings.mac,
        networks=settings.networks,
        relays=settings.relays,
        paced=settings.pacing,
    )


def _entry(settings: Settings, bridge: Bridge, control: asyncio.Server) -> Entry:
    host, port = control.sockets[0].getsockname()[:2]
    return Entry(
        name=settings.name,
        pid=os.getpid(),
        cable=bridge.url,
        control=f"{host}:{port}",
        flash=str(settings.flash),
        mac=settings.mac.hex(":"),
        pty=None if settings.pty_link is None else str(settings.pty_link),
    )
