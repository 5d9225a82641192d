"""What a person sees: a terminal's window, by an emulator of its own, that can be made narrower and wider."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import termios
import time
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.terminal import Terminal

PATIENCE_S = 15


class Window:
    """Shows what the program of a `Terminal` writes; the only one to read it.

    Made narrower, the window breaks what is too long into further lines, as most terminals do, or with `cuts` cuts it off,
    as xterm does.
    """

    def __init__(self, terminal: Terminal, columns: int, lines: int, *, cuts: bool = False) -> None:
        self._terminal = terminal
        self._cuts = cuts
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._tell_size(columns, lines)

    @property
    def rows(self) -> list[str]:
        """The rows down to the last that is not empty, each as wide as the window."""
        rows = list(self._screen.display)
        while rows and not rows[-1].strip():
            rows.pop()
        return rows

    def wait_until(self, condition: Callable[[list[str]], bool]) -> list[str]:
        """Watch until the rows are as they should be; returns them. Fails, showing them, when they do not become so."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition(self.rows):
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"not as it should be after {PATIENCE_S} s:\n" + "\n".join(self.rows)
            self._read(left_s)
        return self.rows

    def resize(self, columns: int) -> None:
        """Make the window so wide, and tell the program, as a terminal does."""
        while self._read(0):
            pass
        if self._cuts:
            self._screen.resize(columns=columns)
        else:
            self._break_rows(columns)
        self._tell_size(columns, self._screen.lines)
        os.kill(self._terminal.process.pid, signal.SIGWINCH)

    def _read(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._terminal.person], [], [], timeout_s)
        if ready:
            self._stream.feed(os.read(self._terminal.person, 4096))
        return bool(ready)

    def _tell_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._terminal.person, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def _break_rows(self, columns: int) -> None:
        """The same rows in a window of this width, the cursor where it was in the text; what has no room has scrolled away."""
        before, broken, cursor = self._screen, list[str](), 0
        shown = max(len(self.rows), before.cursor.y + 1)
        for number, row in enumerate(before.display[:shown]):
            if number == before.cursor.y:
                cursor = len(broken) + before.cursor.x // columns
            text = row.rstrip()
            broken += [text[start : start + columns] for start in range(0, max(len(text), 1), columns)]
        gone = max(len(broken) - before.lines, 0)
        self._screen = pyte.Screen(columns, before.lines)
        self._stream.detach(before)
        self._stream.attach(self._screen)
        for number, text in enumerate(broken[gone:], start=1):
            self._stream.feed(f"\x1b[{number};1H{text}".encode())
        self._stream.feed(f"\x1b[{max(cursor - gone, 0) + 1};{before.cursor.x % columns + 1}H".encode())
