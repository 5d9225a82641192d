"""Keys pressed while a command shows something: Ctrl-] leaves. Without a terminal nothing is read."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUIT_KEY = b"\x1d"
"""Ctrl-], which leaves miniterm, mpremote and esp-idf-monitor alike."""
_WINDOWS_POLL_S = 0.05


@contextmanager
def quit_key(quit_now: Callable[[], None]) -> Iterator[None]:
    """Call `quit_now` (from another thread) when Ctrl-] is pressed; the terminal is put back as it was on leaving."""
    if not _can_read_keys():
        yield
    elif sys.platform == "win32":
        with _windows_keys(quit_now):
            yield
    else:
        with _posix_keys(quit_now):
            yield


def _can_read_keys() -> bool:
    return sys.stdin.isatty() and (sys.platform == "win32" or _is_in_foreground(sys.stdin.fileno()))


def _is_in_foreground(terminal: int) -> bool:
    """A job in the background that touches its terminal's settings is stopped by the system."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # a terminal that does not control this process does not stop it either
        return True


if sys.platform == "win32":

    @contextmanager
    def _windows_keys(quit_now: Callable[[], None]) -> Iterator[None]:
        import msvcrt

        leaving = threading.Event()

        def watch() -> None:
            while not leaving.wait(_WINDOWS_POLL_S):
                if msvcrt.kbhit() and msvcrt.getch() == QUIT_KEY:
                    quit_now()

        thread = threading.Thread(target=watch, name="keyboard", daemon=True)
        thread.start()
        try:
            yield
        finally:
            leaving.set()
            thread.join()

else:

    @contextmanager
    def _posix_keys(quit_now: Callable[[], None]) -> Iterator[None]:
        import termios
        import tty

        keys = sys.stdin.fileno()
        wake_read, wake_write = os.pipe()
        before = termios.tcgetattr(keys)
        before_term = signal.signal(signal.SIGTERM, _leave_on_signal)
        thread = threading.Thread(
            target=_watch_keys, args=(keys, wake_read, quit_now), name="keyboard", daemon=True
        )
        try:
            tty.setcbreak(keys, termios.TCSANOW)
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

    def _watch_keys(keys: int, wake: int, quit_now: Callable[[], None]) -> None:
        while True:
            ready, _, _ = select.select([keys, wake], [], [])
            if wake in ready:
                return
            pressed = os.read(keys, 64)
            if not pressed or QUIT_KEY in pressed:
                quit_now()
                return
