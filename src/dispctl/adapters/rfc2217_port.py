"""pyserial's RFC 2217 port without its needless waits; knows nothing of boards.

pyserial renegotiates baud, size, parity and stop bits whenever a time-out is set, and looks for every answer in steps
of 50 ms. esptool sets a time-out around each of its commands, so a session spends most of its time there. This port
keeps a changed time-out to itself and looks for answers every millisecond. It speaks the same protocol.
"""

from __future__ import annotations

import time
from typing import Any

from serial import SerialException
from serial.rfc2217 import Serial

ANSWER_POLL_S = 0.001


class Rfc2217Port(Serial):  # type: ignore[misc]
    """A drop-in for `serial.rfc2217.Serial`; `port` is an ``rfc2217://HOST:PORT`` address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._negotiated: tuple[Any, ...] | None = None
        super().__init__(*args, **kwargs)

    def open(self) -> None:
        """Connect and negotiate; raises `SerialException` when the other side refuses or is not there."""
        self._negotiated = None
        super().open()

    def _reconfigure_port(self) -> None:
        wanted = (self._baudrate, self._bytesize, self._parity, self._stopbits, self._rtscts, self._xonxoff)
        if wanted != self._negotiated or self._write_timeout is not None:
            super()._reconfigure_port()
            self._negotiated = wanted

    def rfc2217_send_purge(self, value: bytes) -> None:
        """Ask the other side to empty a buffer; returns once it said it did."""
        self._ask("purge", value)

    def rfc2217_set_control(self, value: bytes) -> None:
        """Change a control line of the other side; returns once it said it did."""
        self._ask("control", value)

    def _ask(self, option: str, value: bytes) -> None:
        request = self._rfc2217_options[option]
        request.set(value)
        deadline = time.monotonic() + self._network_timeout
        while not request.is_ready():
            if self._thread is None or not self._thread.is_alive():
                raise SerialException(f"{self.portstr} closed the connection")
            if time.monotonic() > deadline:
                raise SerialException(f"{self.portstr} did not answer a {option} request")
            time.sleep(ANSWER_POLL_S)
