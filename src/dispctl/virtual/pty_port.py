"""The cable as a Linux pseudo-terminal, for tools that know only device paths; it has a speed, but no DTR and no RTS.

A pseudo-terminal tells nobody that it was opened, so that is looked for; its end shows as an error of a read.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import struct
import sys
import tty
from typing import TYPE_CHECKING

from dispctl.virtual.serial_line import SerialLine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEFAULT_BAUD = 115200
LOOK_FOR_CLIENT_S = 0.02
MAX_UNSENT_BYTES = 1 << 20  # a client that reads nothing loses what comes after this much, as on a real line
TCGETS2 = 0x802C542A  # asm-generic/ioctls.h
TERMIOS2_BYTES = 44
TERMIOS2_OUTPUT_SPEED = 40


class PtyUnavailableError(Exception):
    """This system has no pseudo-terminals whose speed can be read (only Linux has)."""


class PtyPort:
    """A serial port at the path `link`, a symbolic link to the pseudo-terminal of the moment.

    `on_data` is called in the event loop with what a client has sent. What is sent while nobody has the port open is
    lost. `paced` and `board_baud` are as in `rfc2217.Rfc2217Server`.
    """

    def __init__(self, link: Path, *, on_data: Callable[[bytes], None], pacing: bool = True) -> None:
        if sys.platform != "linux":
            raise PtyUnavailableError("A pseudo-terminal as the cable is to be had on Linux only.")
        self.link = link
        self.board_baud: int | None = DEFAULT_BAUD
        self._to_board = SerialLine(on_data, lambda: self._board_speed, paced=pacing)
        self._to_client = SerialLine(self._forward, lambda: self.line_baud, paced=pacing)
        self._controller: int | None = None
        self._connected = False
        self._unsent = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Plug it in: make the pseudo-terminal and its link. Raises OSError where the link cannot be made."""
        self._controller, client = os.openpty()
        try:
            os.set_blocking(self._controller, False)
            tty.setraw(client)
            _set_speed(client, DEFAULT_BAUD)
            self._make_link(os.ttyname(client))
        finally:
            os.close(client)
        self._look_for_client()

    def close(self) -> None:
        """Unplug it: the link goes, and a client's reads and writes fail."""
        if self._controller is None:
            return
        self._hang_up()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        os.close(self._controller)
        self._controller = None
        self.link.unlink(missing_ok=True)

    @property
    def line_baud(self) -> int:
        """The speed that the client set last."""
        if self._controller is None:
            return DEFAULT_BAUD
        import fcntl  # not to be had on Windows

        settings = fcntl.ioctl(self._controller, TCGETS2, bytes(TERMIOS2_BYTES))
        (baud,) = struct.unpack_from("I", settings, TERMIOS2_OUTPUT_SPEED)
        return int(baud) or DEFAULT_BAUD

    def send(self, data: bytes) -> None:
        """Send the board's bytes to the client, at the board's present speed."""
        if self._connected:
            self._to_client.write(data, self._board_speed)

    @property
    def _board_speed(self) -> int:
        return self.line_baud if self.board_baud is None else self.board_baud

    def _make_link(self, target: str) -> None:
        self.link.parent.mkdir(parents=True, exist_ok=True)
        new = self.link.with_name(f".{self.link.name}.{os.getpid()}.new")
        new.symlink_to(target)
        new.replace(self.link)

    def _look_for_client(self) -> None:
        loop = asyncio.get_running_loop()
        controller = self._opened()
        poller = select.poll()
        poller.register(controller, select.POLLIN)
        if [(controller, select.POLLHUP)] == poller.poll(0):  # and nothing to read from one who came and went
            self._timer = loop.call_later(LOOK_FOR_CLIENT_S, self._look_for_client)
        else:
            self._timer = None
            self._connected = True
            loop.add_reader(controller, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._opened(), 4096)
        except BlockingIOError:
            return
        except OSError:  # EIO: the last one who had it open has closed it
            self._hang_up()
            self._look_for_client()
            return
        self._to_board.write(data, self.line_baud)

    def _hang_up(self) -> None:
        if self._connected:
            self._connected = False
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._opened())
            loop.remove_writer(self._opened())
        self._unsent.clear()
        self._to_client.purge()

    def _forward(self, data: bytes) -> None:
        if self._connected and len(self._unsent) < MAX_UNSENT_BYTES:
            self._unsent += data
            self._write()

    def _write(self) -> None:
        controller = self._opened()
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                del self._unsent[: os.write(controller, self._unsent)]
        loop = asyncio.get_running_loop()
        if self._unsent:
            loop.add_writer(controller, self._write)
        else:
            loop.remove_writer(controller)

    def _opened(self) -> int:
        if self._controller is None:
            raise RuntimeError("the port has not been opened")
        return self._controller


def _set_speed(terminal: int, baud: int) -> None:
    import termios  # not to be had on Windows

    settings = termios.tcgetattr(terminal)
    settings[4] = settings[5] = getattr(termios, f"B{baud}")
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
