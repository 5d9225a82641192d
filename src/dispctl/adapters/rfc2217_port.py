"""A serial port over RFC 2217, as a pyserial port; knows nothing of boards.

In place of pyserial's own, which renegotiates the line whenever a time-out is set, looks for answers in steps of 50 ms
and takes the stream in byte by byte: esptool, which sets a time-out around every command, spends most of its time
there. Here a changed time-out stays here, answers wake their waiter, and the stream is taken in as it comes.
"""

from __future__ import annotations

import errno
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from serial import SerialBase, SerialException, SerialTimeoutException

from dispctl.adapters.telnet import ANSWER, TelnetClient, com_port_command, escape

SCHEME = "rfc2217"
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
"""A far end that is busy, or behind a network that stalls, is not gone; one that is gone hangs up."""
STALL_TIMEOUT_S = 30.0
"""How long writing may wait for a line that takes nothing; a block of esptool's at 9600 baud needs 17 s."""
CLOSE_TIMEOUT_S = 0.5
_CHUNK_BYTES = 65536
_MOST_UNREAD_BYTES = 1 << 20
"""Beyond this the other side is made to wait: TCP keeps what nobody reads here."""

SET_BAUDRATE, SET_DATASIZE, SET_PARITY, SET_STOPSIZE, SET_CONTROL, PURGE_DATA = 1, 2, 3, 4, 5, 12
BREAK_ON, BREAK_OFF, DTR_ON, DTR_OFF, RTS_ON, RTS_OFF = (bytes((number,)) for number in (5, 6, 8, 9, 11, 12))
NO_FLOW_CONTROL = b"\x01"
PURGE_RECEIVED, PURGE_UNSENT = b"\x01", b"\x02"
_PARITIES = {"N": 1, "O": 2, "E": 3, "M": 4, "S": 5}
_STOP_BITS = {1: 1, 2: 2, 1.5: 3}


class Rfc2217Port(SerialBase):  # type: ignore[misc]
    """A port at ``rfc2217://HOST:PORT``; raises `SerialException` where pyserial's ports do.

    `SerialTimeoutException`, one of these, means that the connection stands and the far end has not answered.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._socket: socket.socket | None = None
        self._reader: threading.Thread | None = None
        self._sending = threading.Lock()
        self._changed = threading.Condition()
        self._telnet = TelnetClient()
        self._received = bytearray()
        self._answers: dict[int, bytes] = {}
        self._asking = False
        self._ended = False
        self._line: tuple[Any, ...] | None = None
        self.is_open: bool = False
        super().__init__(*args, **kwargs)

    def open(self) -> None:
        """Connect and negotiate.

        Raises SerialException, with errno EBUSY when the other side hangs up at once, as one with a client does.
        """
        if self.is_open:
            raise SerialException("the port is already open")
        self._connect()
        self.is_open = True
        try:
            self._offer_rfc2217()
            self._reconfigure_port()
            self._ask(SET_CONTROL, NO_FLOW_CONTROL)
            self._update_dtr_state()
            self._update_rts_state()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up; returns once the other side has noticed, so that the next client finds the port free."""
        with self._changed:
            self.is_open = False
            self._changed.notify_all()
        if self._socket is None:
            return
        connection, self._socket = self._socket, None
        try:
            connection.shutdown(socket.SHUT_WR)
            if self._reader is not None:
                self._reader.join(CLOSE_TIMEOUT_S)
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was quicker
        finally:
            connection.close()

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        return len(self._received)

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes, fewer when the time-out passed; raises SerialException when the connection is lost."""
        self._require_open()
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        with self._changed:
            while len(self._received) < size and not self._ended:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            if self._ended and not self._received:
                raise SerialException(f"{self.portstr} closed the connection")
            data = bytes(self._received[:size])
            del self._received[:size]
            self._changed.notify_all()
        return data

    def write(self, data: bytes) -> int:
        """Send all of `data`; raises SerialException when the connection is lost or takes nothing for too long."""
        self._require_open()
        self._send(escape(bytes(data)))
        return len(data)

    def reset_input_buffer(self) -> None:
        """Drop what has come in, on the other side and here."""
        self._require_open()
        self._ask(PURGE_DATA, PURGE_RECEIVED)
        with self._changed:
            self._received.clear()
            self._changed.notify_all()

    def reset_output_buffer(self) -> None:
        """Drop what the other side has not sent yet."""
        self._require_open()
        self._ask(PURGE_DATA, PURGE_UNSENT)

    def _reconfigure_port(self) -> None:
        line = (self._baudrate, self._bytesize, self._parity, self._stopbits)
        if line == self._line:
            return
        self._ask(SET_BAUDRATE, struct.pack("!I", self._baudrate), must_agree=True)
        self._ask(SET_DATASIZE, bytes((self._bytesize,)), must_agree=True)
        self._ask(SET_PARITY, bytes((_PARITIES[self._parity],)), must_agree=True)
        self._ask(SET_STOPSIZE, bytes((_STOP_BITS[self._stopbits],)), must_agree=True)
        self._line = line

    def _update_break_state(self) -> None:
        self._ask(SET_CONTROL, BREAK_ON if self._break_state else BREAK_OFF)

    def _update_dtr_state(self) -> None:
        self._ask(SET_CONTROL, DTR_ON if self._dtr_state else DTR_OFF)

    def _update_rts_state(self) -> None:
        self._ask(SET_CONTROL, RTS_ON if self._rts_state else RTS_OFF)

    def _connect(self) -> None:
        address = urlsplit(self.portstr or "")
        if address.scheme != SCHEME or not address.hostname or not address.port:
            raise ValueError(f"not of the form {SCHEME}://HOST:PORT")
        try:
            connection = socket.create_connection((address.hostname, address.port), CONNECT_TIMEOUT_S)
        except OSError as error:
            raise SerialException(f"no connection to {self.portstr}: {error}") from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(STALL_TIMEOUT_S)
        self._socket, self._telnet, self._line, self._ended = connection, TelnetClient(), None, False
        self._received.clear()
        self._answers.clear()
        self._reader = threading.Thread(target=self._take_in, args=(connection,), daemon=True)
        self._reader.start()

    def _offer_rfc2217(self) -> None:
        self._send(self._telnet.opening)
        self._await(lambda: self._telnet.accepted is not None, "the offer of RFC 2217")
        if not self._telnet.accepted:
            raise SerialException(f"{self.portstr} does not speak RFC 2217")

    def _take_in(self, connection: socket.socket) -> None:
        """The reading thread: everything that comes, until the connection ends."""
        while True:
            self._await_room()
            try:
                data = connection.recv(_CHUNK_BYTES)
            except TimeoutError:
                continue
            except OSError:
                break
            if not data:
                break
            self._take(data)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _await_room(self) -> None:
        """Until somebody reads; an answer that is waited for comes behind whatever else is under way."""
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._received) < _MOST_UNREAD_BYTES or self._asking or not self.is_open
            )

    def _take(self, data: bytes) -> None:
        with self._changed:
            received = self._telnet.receive(data)
            self._received += received.data
            for number, value in received.answers:
                self._answers[number] = value
            self._changed.notify_all()
        if received.replies:
            with suppress(SerialException):  # the reader notices the end of the connection by itself
                self._send(bytes(received.replies))

    def _ask(self, command: int, value: bytes, *, must_agree: bool = False) -> None:
        """Send a COM-PORT command and wait for its answer."""
        number = command + ANSWER
        self._answers.pop(number, None)
        self._send(com_port_command(command, value))
        self._await(lambda: number in self._answers, f"COM-PORT command {command}")
        if must_agree and self._answers[number] != value:
            raise SerialException(f"{self.portstr} refused COM-PORT command {command} with {value.hex()}")

    def _await(self, condition: Any, what: str) -> None:
        with self._changed:
            self._asking = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended or condition(), ANSWER_TIMEOUT_S)
            self._asking = False
            if condition():
                return
        if self._ended:
            number = errno.EBUSY if self._line is None else errno.EPIPE
            raise SerialException(number, f"{self.portstr} hung up")
        raise SerialTimeoutException(f"{self.portstr} did not answer {what}")

    def _send(self, data: bytes) -> None:
        with self._sending:
            if self._socket is None:
                raise SerialException("the port is closed")
            try:
                self._socket.sendall(data)
            except OSError as error:
                raise SerialException(f"{self.portstr} lost the connection: {error}") from error

    def _require_open(self) -> None:
        if not self.is_open:
            raise SerialException("the port is not open")
