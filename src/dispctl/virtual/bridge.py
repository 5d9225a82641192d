"""The DevKit's USB bridge: every way to the board's one serial port, its noise, and its plug, which also brings power."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispctl.virtual.board import State
from dispctl.virtual.noise import Noise
from dispctl.virtual.pty_port import PtyPort
from dispctl.virtual.rfc2217 import Rfc2217Server

if TYPE_CHECKING:
    from pathlib import Path

    from dispctl.virtual.board import Board

HOST = "127.0.0.1"


class PortTakenError(Exception):
    """Something else listens on the TCP port asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(f"TCP port {port} is taken.")
        self.port = port


class Bridge:
    """Connects `board` to an RFC 2217 port and, with `pty_link`, to a pseudo-terminal at that path; unplugged at first.

    The port is one: what the board sends reaches whoever has either of them open, and the board hears both. Raises
    `PtyUnavailableError`.
    """

    def __init__(self, board: Board, *, pacing: bool, port: int = 0, pty_link: Path | None = None) -> None:
        self.noise = Noise()
        self.plugged = False
        self._board = board
        self._port = port
        self._cut_power = False
        self._rfc2217 = Rfc2217Server(
            on_data=self._from_rfc2217, on_lines=board.set_lines, on_baud=board.set_line_baud, pacing=pacing
        )
        self._pty = None
        if pty_link is not None:
            self._pty = PtyPort(pty_link, on_data=self._from_pty, pacing=pacing)
        board.attach(self)

    @property
    def board_baud(self) -> int | None:
        """The speed of the board's UART, None while it follows the line's."""
        return self._rfc2217.board_baud

    @board_baud.setter
    def board_baud(self, baud: int | None) -> None:
        self._rfc2217.board_baud = baud
        if self._pty is not None:
            self._pty.board_baud = baud

    @property
    def url(self) -> str:
        """What pyserial calls the RFC 2217 port."""
        return f"rfc2217://{HOST}:{self._port}"

    def send(self, data: bytes) -> None:
        """Send from the board's UART."""
        data = self.noise.disturb(data)
        self._rfc2217.send(data)
        if self._pty is not None:
            self._pty.send(data)

    async def plug_in(self) -> None:
        """Plug the cable in, on the same port as before; a board whose power went with the cable gets it back.

        Raises `PortTakenError`, and OSError where the pseudo-terminal's link cannot be made.
        """
        if self.plugged:
            return
        try:
            self._port = await self._rfc2217.start(HOST, self._port)
        except OSError as error:
            raise PortTakenError(self._port) from error
        self.plugged = True
        if self._pty is not None:
            self._pty.open()
        if self._cut_power:
            self._cut_power = False
            self._board.power_on()

    async def unplug(self, *, keep_power: bool = False) -> None:
        """Pull the cable: whoever is connected is dropped, nobody can connect, and the board is without power.

        With `keep_power` it has another supply, and goes on.
        """
        if not self.plugged:
            return
        self.plugged = False
        if not keep_power and self._board.state is not State.OFF:
            self._cut_power = True
            self._board.power_off()
        if self._pty is not None:
            self._pty.close()
        await self._rfc2217.close()

    def _from_rfc2217(self, data: bytes) -> None:
        self._receive(data, self._rfc2217.line_baud)

    def _from_pty(self, data: bytes) -> None:
        if self._pty is not None:
            self._receive(data, self._pty.line_baud)

    def _receive(self, data: bytes, line_baud: int) -> None:
        self._board.set_line_baud(line_baud)
        self._board.receive(self.noise.disturb(data))
