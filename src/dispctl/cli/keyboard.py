"""Keys pressed while a command shows something: Ctrl-] leaves. Without a terminal nothing is read."""

from __future__ import annotations

import os
import select
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
    if not sys.stdin.isatty():
        return False
    # A job in the background that touches the terminal's settings is stopped by the system.
    return sys.platform == "win32" or os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()


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

    def _watch_keys(keys: int, wake: int, quit_now: Callable[[], None]) -> None:
        while True:
            ready, _, _ = select.select([keys, wake], [], [])
            if wake in ready:
                return
            pressed = os.read(keys, 64)
            if not pressed or QUIT_KEY in pressed:
                quit_now()
                return
