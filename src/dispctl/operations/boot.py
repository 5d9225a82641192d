"""Waiting for the firmware to say that it runs; reads the log of a board that was just reset."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.errors import BoardSilentError, DeadlineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispctl.adapters.port import SerialPort

TIMEOUT_S = 30.0
_BOOT_LINE = re.compile(r"\[SETUP\] dispctl firmware (?P<version>\S+)(?:.*\buid=(?P<uid>\S+))?")
_BANNER = 'Type "help()" for more'
"""What MicroPython says before its prompt, when the program has ended."""
_CONFIRMED = "[UPDATE] ✓"
_TAKEN_BACK = "[UPDATE] ✗"
_LAST_LINES = 3


@dataclass(frozen=True)
class Started:
    """The firmware said on the cable that it runs; `uid` is empty where it does not say it."""

    version: str
    uid: str


def await_boot_line(port: SerialPort, timeout_s: float) -> Started:
    """Read `port`, whose reads return soon, until the firmware's first line.

    Raises DeadlineError when it does not come within `timeout_s` or a prompt comes in its place, with the last that was
    said as its hint, and BoardSilentError when the cable is pulled.
    """
    return _await_boot_line(_Log(port, time.monotonic() + timeout_s), timeout_s)


def await_update(port: SerialPort, timeout_s: float) -> Started:
    """As `await_boot_line`, for a new version: until it has confirmed that it is to stay.

    Raises DeadlineError also when the board took it back; it then runs the version before.
    """
    log = _Log(port, time.monotonic() + timeout_s)
    started = _await_boot_line(log, timeout_s)
    for line in log:
        if line.startswith(_CONFIRMED):
            return started
        _refuse_taken_back(line)
    raise log.silence(f"The new version did not confirm within {timeout_s:g} s that it is to stay.")


def _await_boot_line(log: _Log, timeout_s: float) -> Started:
    for line in log:
        found = _BOOT_LINE.search(line)
        if found:
            return Started(found["version"], found["uid"] or "")
        _refuse_taken_back(line)
        if line.startswith(_BANNER):
            raise DeadlineError("The firmware ended instead of running.", hint=log.last_words())
    raise log.silence(f"The firmware did not say within {timeout_s:g} s that it runs.")


def _refuse_taken_back(line: str) -> None:
    if line.startswith(_TAKEN_BACK):
        raise DeadlineError(
            "The new version did not start; the board runs the one before again.",
            hint="See why with dispctl monitor, or write all of it anew: dispctl flash.",
        )


class _Log:
    """The lines on `port` until `deadline` (monotonic seconds), and the last few of them."""

    def __init__(self, port: SerialPort, deadline: float) -> None:
        self._lines = _lines(port, deadline)
        self._last: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            yield line
            self._last = [*self._last, line][-_LAST_LINES:] if line else self._last

    def last_words(self) -> str:
        return f"Its last words: {' / '.join(self._last)}"

    def silence(self, fact: str) -> DeadlineError:
        hint = self.last_words() if self._last else "The board is silent: press its reset button."
        return DeadlineError(fact, hint=hint)


def _lines(port: SerialPort, deadline: float) -> Iterator[str]:
    rest = b""
    while time.monotonic() < deadline:
        try:
            rest += port.read(max(1, port.in_waiting))
        except OSError as error:
            raise BoardSilentError(
                f"The connection broke down: {error}.", hint="Plug the cable in again and repeat the command."
            ) from error
        *lines, rest = rest.split(b"\n")
        yield from (line.decode("utf-8", "replace").strip() for line in lines)
