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
_LAST_LINES = 3


@dataclass(frozen=True)
class BootLine:
    """What the firmware says of itself when it starts; `uid` is empty where it does not say it."""

    version: str
    uid: str


def await_boot_line(port: SerialPort, timeout_s: float) -> BootLine:
    """Read `port`, whose reads return soon, until the firmware's first line.

    Raises DeadlineError when it does not come within `timeout_s` or a prompt comes in its place, with the last that was
    said as its hint, and BoardSilentError when the cable is pulled.
    """
    last: list[str] = []
    for line in _lines(port, time.monotonic() + timeout_s):
        found = _BOOT_LINE.search(line)
        if found:
            return BootLine(found["version"], found["uid"] or "")
        if line.startswith(_BANNER):
            raise DeadlineError(
                "The firmware ended instead of running.", hint=f"Its last words: {' / '.join(last)}"
            )
        last = [*last, line][-_LAST_LINES:] if line else last
    raise DeadlineError(
        f"The firmware did not say within {timeout_s:g} s that it runs.",
        hint=f"The board's last words: {' / '.join(last)}"
        if last
        else "The board is silent: press its reset button.",
    )


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
