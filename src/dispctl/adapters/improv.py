"""An Improv Serial client on a serial port: commands down the cable, frames picked out of the log.

Knows the protocol, not what a device is for. Everything on the port is read here; what is no frame goes to a callback
line by line.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters.port import DEFAULT_BAUD, close_port, open_port
from dispctl.errors import BoardNotFoundError, BoardRefusedError, BoardSilentError
from dispctl.firmware import improv
from dispctl.firmware.improv import FrameError, FrameReader
from dispctl.logs.lines import LineAssembler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dispctl.adapters.port import SerialPort

RESEND_AFTER_S = 1.0
"""A device may be starting, or take the first bytes for the rest of a line; the official client repeats as often."""
DETECT_TIMEOUT_S = 10.0
INFO_TIMEOUT_S = 5.0
SCAN_TIMEOUT_S = 30.0
ERRORS = {
    improv.INVALID_RPC: "it could not read the command",
    improv.UNKNOWN_RPC: "it does not know the command",
    improv.UNABLE_TO_CONNECT: "it could not connect",
    improv.UNKNOWN_ERROR: "it cannot do that now",
}


@dataclass(frozen=True)
class Frame:
    """What a device sent."""

    kind: int
    data: bytes


class FrameSplitter:
    """Takes frames out of whatever comes on the line; what is left is log."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._reader: FrameReader | None = None

    def feed(self, data: bytes) -> list[Frame | bytes]:
        """Frames and log bytes, in order; a damaged frame is dropped. At most a header is held back."""
        found: list[Frame | bytes] = []
        for byte in data:
            if self._reader is not None:
                found += self._continue_frame(self._reader, byte)
            else:
                found += self._continue_log(byte)
        return found

    def _continue_frame(self, reader: FrameReader, byte: int) -> list[Frame | bytes]:
        try:
            frame = reader.take(byte)
        except FrameError:
            self._reader = None
            return []
        if frame is None:
            return []
        self._reader = None
        return [Frame(*frame)]

    def _continue_log(self, byte: int) -> list[Frame | bytes]:
        self._held.append(byte)
        if self._held == improv.HEADER:
            self._held.clear()
            self._reader = FrameReader()
            return []
        if improv.HEADER.startswith(self._held):
            return []
        data = bytes(self._held)
        self._held.clear()
        if byte == improv.HEADER[0]:  # the header's first byte, after what only began like one
            self._held.append(byte)
            data = data[:-1]
        return [data]


class ImprovLine:
    """Commands to a device on an open port whose reads return within a fraction of a second."""

    def __init__(self, port: SerialPort, *, on_line: Callable[[str], None] | None = None) -> None:
        self._port = port
        self._on_line = on_line
        self._splitter = FrameSplitter()
        self._lines: LineAssembler[float] = LineAssembler()

    def current_state(self, timeout_s: float = DETECT_TIMEOUT_S) -> int:
        """The device's state, asked for again and again; raises BoardSilentError when no device answers in time."""
        deadline = time.monotonic() + timeout_s
        while (now := time.monotonic()) < deadline:
            self._send(improv.GET_STATE)
            for frame in self._frames(min(deadline, now + RESEND_AFTER_S)):
                if frame.kind == improv.CURRENT_STATE and frame.data:
                    self._settle()
                    return frame.data[0]
        raise BoardSilentError(
            f"Nothing on {self._port.name} speaks Improv Serial.",
            hint="Is it the right port, and has the device been on for a while? Reset it, then try again.",
        )

    def texts(self, command: int, *, timeout_s: float = INFO_TIMEOUT_S) -> list[str]:
        """The texts of the one result to `command`; raises BoardRefusedError and BoardSilentError."""
        return next(self._results(command, timeout_s))

    def scan(self) -> Iterator[list[str]]:
        """A network's texts (name, strength, whether secured) at a time, until the device has no more."""
        for texts in self._results(improv.SCAN, SCAN_TIMEOUT_S):
            if not texts:
                return
            yield texts

    def join(self, ssid: str, password: str, *, timeout_s: float) -> list[str]:
        """Hand the credentials over; returns addresses to go on at, once the device has joined.

        Raises BoardRefusedError when it could not, BoardSilentError when it said neither within `timeout_s`.
        """
        return next(self._results(improv.SEND_WIFI, timeout_s, improv.pack_texts([ssid, password])))

    def _results(self, command: int, timeout_s: float, data: bytes = b"") -> Iterator[list[str]]:
        self._send(command, data)
        for frame in self._frames(time.monotonic() + timeout_s):
            if frame.kind == improv.ERROR_STATE and any(frame.data):
                raise BoardRefusedError(
                    f"The device refused: {ERRORS.get(frame.data[0], 'it gave no reason')}."
                )
            if frame.kind == improv.RPC_RESULT:
                try:
                    answered, packed = improv.parse_command(frame.data)
                    texts = improv.parse_texts(packed)
                except FrameError:
                    continue
                if answered == command:
                    yield texts
        raise BoardSilentError(
            f"The device did not answer within {timeout_s:g} s.", hint="Reset it, then try again."
        )

    def _settle(self) -> None:
        """Read what else belongs to the last answer, and to a repeated question."""
        for _ in self._frames(time.monotonic() + 0.2):
            pass

    def _send(self, command: int, data: bytes = b"") -> None:
        try:
            self._port.write(improv.format_request(command, data))
        except OSError as error:
            raise _lost(self._port) from error

    def _frames(self, deadline: float) -> Iterator[Frame]:
        """What the device sends until `deadline`; the rest is log."""
        while time.monotonic() < deadline:
            try:
                data = self._port.read(max(1, self._port.in_waiting))
            except OSError as error:
                raise _lost(self._port) from error
            for part in self._splitter.feed(data):
                if isinstance(part, Frame):
                    yield part
                else:
                    self._log(part)

    def _log(self, data: bytes) -> None:
        for line in self._lines.feed(data, 0.0):
            if line.text and self._on_line is not None:
                self._on_line(line.text)


@contextmanager
def open_improv(
    port_name: str, *, baud: int = DEFAULT_BAUD, on_line: Callable[[str], None] | None = None
) -> Iterator[ImprovLine]:
    """An `ImprovLine` on a port opened without a reset, and closed without one; errors are those of `open_port`."""
    port = open_port(port_name, baud=baud, timeout_s=0.05)
    try:
        yield ImprovLine(port, on_line=on_line)
    finally:
        close_port(port)


def _lost(port: SerialPort) -> BoardNotFoundError:
    return BoardNotFoundError(
        f"The connection to {port.name} was lost.", hint="Plug the device in again, then repeat the command."
    )
