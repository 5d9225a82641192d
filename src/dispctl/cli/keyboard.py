"""The keyboard while a command shows something: every key at once, unechoed. Knows nothing of what keys mean."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WINDOWS_POLL_S = 0.05
_MOST_BYTES = 1024


@contextmanager
def keys_pressed(on_keys: Callable[[bytes], None], *, everything: bool = False) -> Iterator[None]:
    """Call `on_keys` (from another thread) with what is typed, b"" at its end; the terminal is put back on leaving.

    With `everything` Ctrl-C, Ctrl-Z and Enter come through as the bytes they are. Reads only a terminal that this
    process has the foreground of.
    """
    if not can_read_keys():
        yield
    elif sys.platform == "win32":
        with _windows_keys(on_keys):
            yield
    else:
        with _posix_keys(on_keys, everything=everything):
            yield


@contextmanager
def standard_input(on_data: Callable[[bytes], None]) -> Iterator[None]:
    """Call `on_data` (from another thread) with what a pipe delivers, until its end."""
    threading.Thread(target=_read_pipe, args=(sys.stdin.fileno(), on_data), daemon=True).start()
    yield


def _read_pipe(number: int, on_data: Callable[[bytes], None]) -> None:
    while data := os.read(number, _MOST_BYTES):
        on_data(data)


def can_read_keys() -> bool:
    """Whether somebody types: standard input is a terminal, and this process is in its foreground."""
    return sys.stdin.isatty() and (sys.platform == "win32" or _is_in_foreground(sys.stdin.fileno()))


def _is_in_foreground(terminal: int) -> bool:
    """A job in the background that touches its terminal's settings is stopped by the system."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # a terminal that does not control this process does not stop it either
        return True


if sys.platform == "win32":

    @contextmanager
    def _windows_keys(on_keys: Callable[[bytes], None]) -> Iterator[None]:
        import msvcrt

        leaving = threading.Event()

        def watch() -> None:
            while not leaving.wait(_WINDOWS_POLL_S):
                while msvcrt.kbhit():
                    on_keys(msvcrt.getch())

        thread = threading.Thread(target=watch, name="keyboard", daemon=True)
        thread.start()
        try:
            yield
        finally:
            leaving.set()
            thread.join()

else:

    @contextmanager
    def _posix_keys(on_keys: Callable[[bytes], None], *, everything: bool) -> Iterator[None]:
        import termios

        keys = sys.stdin.fileno()
        wake_read, wake_write = os.pipe()
        before = termios.tcgetattr(keys)
        before_term = signal.signal(signal.SIGTERM, _leave_on_signal)
        thread = threading.Thread(
            target=_watch_keys, args=(keys, wake_read, on_keys), name="keyboard", daemon=True
        )
        try:
            termios.tcsetattr(keys, termios.TCSANOW, _unbuffered(before, everything=everything))
            thread.start()
            yield
        finally:
            os.close(wake_write)
            thread.join()
            os.close(wake_read)
            termios.tcsetattr(keys, termios.TCSANOW, before)
            signal.signal(signal.SIGTERM, before_term)

    def _leave_on_signal(number: int, _frame: object) -> None:
        """Leave by an exception, so that the terminal is put back; the exit code is the shell's for a signal."""
        raise SystemExit(128 + number)

    def _unbuffered(before: list[Any], *, everything: bool) -> list[Any]:
        """The terminal's settings with every key delivered at once; what is shown goes on as before."""
        import termios

        control = list(before[6])
        control[termios.VMIN], control[termios.VTIME] = 1, 0
        incoming, echo = before[0], before[3] & ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        if everything:
            incoming &= ~(termios.ICRNL | termios.IXON)
            echo &= ~termios.ISIG
        return [incoming, before[1], before[2], echo, before[4], before[5], control]

    def _watch_keys(keys: int, wake: int, on_keys: Callable[[bytes], None]) -> None:
        while True:
            ready, _, _ = select.select([keys, wake], [], [])
            if wake in ready:
                return
            try:
                pressed = os.read(keys, _MOST_BYTES)
            except OSError:  # the terminal is gone
                pressed = b""
            on_keys(pressed)
            if not pressed:
                return
