"""The keyboard while a command shows something: every key at once, unechoed. Knows nothing of what keys mean.

A terminal's input belongs to whatever runs in it next as well. So one byte is taken at a time, and none after the last
that is wanted; what was typed before anybody could know that this command would listen stays where it is.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WINDOWS_POLL_S = 0.05
_MOST_BYTES = 1024


@contextmanager
def keys_pressed(on_key: Callable[[bytes], bool], *, everything: bool = False) -> Iterator[bool]:
    """Call `on_key` (from another thread) with each byte typed, b"" at the end, until it returns False.

    Yields whether keys are heard: not where something was typed ahead, and is left to what runs next, nor without a
    terminal that this process has the foreground of. With `everything` what was typed ahead is heard too, and Ctrl-C,
    Ctrl-Z and Enter come through as the bytes they are. The terminal is put back on leaving.
    """
    if not can_read_keys():
        yield False
    elif sys.platform == "win32":
        with _windows_keys(on_key, everything=everything) as heard:
            yield heard
    else:
        with _posix_keys(on_key, everything=everything) as heard:
            yield heard


@contextmanager
def unechoed() -> Iterator[None]:
    """What is typed while the block runs is not shown, and is left for what runs next; Ctrl-C stays what it is."""
    if sys.platform == "win32" or not can_read_keys():
        yield
        return
    with _terminal_settings(sys.stdin.fileno(), _without_echo):
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
    def _windows_keys(on_key: Callable[[bytes], bool], *, everything: bool) -> Iterator[bool]:
        import msvcrt

        if msvcrt.kbhit() and not everything:
            yield False
            return
        leaving = threading.Event()

        def watch() -> None:
            while not leaving.wait(_WINDOWS_POLL_S):
                while msvcrt.kbhit():
                    if not on_key(msvcrt.getch()):
                        return

        thread = threading.Thread(target=watch, name="keyboard", daemon=True)
        thread.start()
        try:
            yield True
        finally:
            leaving.set()
            thread.join()

else:

    @contextmanager
    def _posix_keys(on_key: Callable[[bytes], bool], *, everything: bool) -> Iterator[bool]:
        keys = sys.stdin.fileno()
        with _terminal_settings(keys, partial(_without_lines, everything=everything)):
            if _is_ready(keys) and not everything:
                yield False
            else:
                with _watched(keys, on_key):
                    yield True

    @contextmanager
    def _watched(keys: int, on_key: Callable[[bytes], bool]) -> Iterator[None]:
        wake_read, wake_write = os.pipe()
        watch = (keys, wake_read, on_key)
        thread = threading.Thread(target=_watch_keys, args=watch, name="keyboard", daemon=True)
        thread.start()
        try:
            yield
        finally:
            os.close(wake_write)
            thread.join()
            os.close(wake_read)

    def _watch_keys(keys: int, wake: int, on_key: Callable[[bytes], bool]) -> None:
        while True:
            ready, _, _ = select.select([keys, wake], [], [])
            if wake in ready:
                return
            try:
                pressed = os.read(keys, 1)
            except OSError:  # the terminal is gone
                pressed = b""
            if not on_key(pressed) or not pressed:
                return

    def _is_ready(keys: int) -> bool:
        """Whether something was typed that nobody has read."""
        return bool(select.select([keys], [], [], 0)[0])

    @contextmanager
    def _terminal_settings(keys: int, changed: Callable[[list[Any]], list[Any]]) -> Iterator[None]:
        """The terminal's settings are `changed` while the block runs; SIGTERM leaves it, so that they are put back."""
        import termios

        before = termios.tcgetattr(keys)
        before_term = signal.signal(signal.SIGTERM, _leave_on_signal)
        try:
            termios.tcsetattr(keys, termios.TCSANOW, changed(before))
            yield
        finally:
            termios.tcsetattr(keys, termios.TCSANOW, before)
            signal.signal(signal.SIGTERM, before_term)

    def _leave_on_signal(number: int, _frame: object) -> None:
        """Leave by an exception; the exit code is the shell's for a signal."""
        raise SystemExit(128 + number)

    def _without_echo(before: list[Any]) -> list[Any]:
        import termios

        return [*before[:3], before[3] & ~termios.ECHO, *before[4:]]

    def _without_lines(before: list[Any], *, everything: bool) -> list[Any]:
        """The terminal's settings without lines and echo; what is shown goes on as before."""
        import termios

        control = list(before[6])
        control[termios.VMIN], control[termios.VTIME] = 1, 0
        incoming, echo = before[0], before[3] & ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        if everything:
            incoming &= ~(termios.ICRNL | termios.IXON)
            echo &= ~termios.ISIG
        return [incoming, before[1], before[2], echo, before[4], before[5], control]
