"""The cable: an RFC 2217 server on loopback for one client at a time; knows bytes and lines, not what they mean.

`telnet` and `com_port` hold the protocol, `serial_line` the speed of the line; here are the sockets.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from dispctl.virtual.com_port import (
    DEFAULT_BAUD,
    BaudSet,
    BreakSet,
    ComPort,
    Event,
    LinesSet,
    Purged,
    Received,
    Suspended,
)
from dispctl.virtual.serial_line import SerialLine

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSAL_GRACE_S = 0.1  # a client may come before the end of the one before it has been noticed
MAX_UNSENT_BYTES = 1 << 20  # a client that reads nothing loses what comes after this much, as on a real line


class Rfc2217Server:
    """A serial port over TCP.

    All callbacks run in the event loop and must return at once: `on_data` with bytes from the client, `on_lines` with
    DTR and RTS (True: asserted) whenever the client sets one, `on_baud` with the line's new speed, `on_connect` and
    `on_disconnect` as clients come and go (at its end a client's RTS is released, then its DTR). What is sent while
    there is no client is lost.

    `paced`: bytes pass at the speed of their sender, 10 bits a byte. `board_baud` is the speed of the board's UART, in
    bytes received and sent from now on, or None for a UART that follows the line (the ROM before its first SYNC); when
    it differs from the client's, either side receives garbage.
    """

    def __init__(
        self,
        *,
        on_data: Callable[[bytes], None],
        on_lines: Callable[[bool, bool], None],
        on_baud: Callable[[int], None] = lambda _baud: None,
        on_connect: Callable[[], None] = lambda: None,
        on_disconnect: Callable[[], None] = lambda: None,
        pacing: bool = True,
    ) -> None:
        self.board_baud: int | None = DEFAULT_BAUD
        self.on_connect = on_connect
        self.on_disconnect = on_disconnect
        self._on_lines = on_lines
        self._on_baud = on_baud
        self._port = ComPort()
        self._client: _Client | None = None
        self._listener: asyncio.Server | None = None
        self._to_board = SerialLine(on_data, lambda: self._board_speed, paced=pacing)
        self._to_client = SerialLine(self._forward, lambda: self.line_baud, paced=pacing)

    @property
    def connected(self) -> bool:
        """Whether there is a client."""
        return self._client is not None

    @property
    def line_baud(self) -> int:
        """The speed that the client set; the last client's while there is none."""
        return self._port.baud

    @property
    def port(self) -> int:
        """The TCP port listened on; raises RuntimeError before `start`."""
        if self._listener is None:
            raise RuntimeError("the server has not been started")
        return int(self._listener.sockets[0].getsockname()[1])

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen on `host` and `port` (0: any free one); returns the port. Raises OSError if it is taken."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._new_client, host, port)
        return self.port

    async def close(self) -> None:
        """Unplug: end the client's connection and stop listening. `start` plugs it in again."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        listener.close()
        self.drop_client()
        await listener.wait_closed()

    def drop_client(self) -> None:
        """End the client's connection, if there is one."""
        if self._client is not None:
            client = self._client
            self._detach(client)
            client.transport.abort()

    def send(self, data: bytes) -> None:
        """Send the board's bytes to the client, at the board's present speed."""
        if self._client is not None:
            self._to_client.write(data, self._board_speed)

    @property
    def _board_speed(self) -> int:
        return self.line_baud if self.board_baud is None else self.board_baud

    def _forward(self, data: bytes) -> None:
        client = self._client
        if client is not None and client.transport.get_write_buffer_size() < MAX_UNSENT_BYTES:
            client.transport.write(ComPort.encode(data))

    def _new_client(self) -> _Client:
        return _Client(self._attach, self._receive, self._detach)

    def _attach(self, client: _Client) -> bool:
        """Take `client` as the one client; False if there is one already, or the cable is unplugged."""
        if self._client is not None or self._listener is None:
            return False
        self._client = client
        baud = self.line_baud
        self._port = ComPort()
        if baud != self.line_baud:
            self._on_baud(self.line_baud)
        self.on_connect()
        client.transport.write(self._port.take_answers())
        return True

    def _detach(self, client: _Client) -> None:
        if self._client is not client:
            return
        self._client = None
        self._to_board.purge()
        self._to_client.purge()
        self._to_client.suspend(on=False)
        if self._port.rts:
            self._on_lines(self._port.dtr, False)
        if self._port.dtr:
            self._on_lines(False, False)
        self.on_disconnect()

    def _receive(self, client: _Client, data: bytes) -> None:
        for event in self._port.receive(data):
            self._apply(event)
        answers = self._port.take_answers()
        if answers and self._client is client:
            client.transport.write(answers)

    def _apply(self, event: Event) -> None:
        if isinstance(event, Received):
            self._to_board.write(event.data, self.line_baud)
        elif isinstance(event, LinesSet):
            self._on_lines(event.dtr, event.rts)
        elif isinstance(event, BaudSet):
            self._on_baud(event.baud)
        elif isinstance(event, Purged):
            self._purge(event)
        elif isinstance(event, Suspended):
            self._to_client.suspend(on=event.on)
        elif isinstance(event, BreakSet) and event.on:
            self._to_board.write(b"\x00", self.line_baud)  # a UART receives a break as a zero

    def _purge(self, event: Purged) -> None:
        if event.inbound:
            self._to_client.purge()
        if event.outbound:
            self._to_board.purge()


class _Client(asyncio.Protocol):
    """One TCP connection: the client, or one that waits a moment to become it and is refused."""

    transport: asyncio.Transport

    def __init__(
        self,
        attach: Callable[[_Client], bool],
        receive: Callable[[_Client, bytes], None],
        detach: Callable[[_Client], None],
    ) -> None:
        self._attach = attach
        self._receive = receive
        self._detach = detach

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if not self._attach(self):
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(REFUSAL_GRACE_S, self._try_again)

    def _try_again(self) -> None:
        if self.transport.is_closing():
            return
        if self._attach(self):
            self.transport.resume_reading()
        else:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._receive(self, data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._detach(self)
