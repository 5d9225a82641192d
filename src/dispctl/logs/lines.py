"""Bytes to lines: what a serial line delivers in pieces, cut at line ends; knows nothing of what the lines say.

A line carries the moment of its *first* byte. A line without an end is cut at a limit, so that memory stays bounded,
and bytes that are not text are shown, never dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Generic, TypeVar

MomentT = TypeVar("MomentT")

DEFAULT_LIMIT = 8192
"""Longest piece of a line in bytes: above the longest line the firmware prints (a ``[CTL]`` answer)."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass  # not frozen: a million of them are made in a minute, and that takes a third as long
class SerialLine(Generic[MomentT]):
    """A line, or a piece of one: `begins` and `ends` say whether its start and its end are here.

    `data` is without the line end; `moment` is that of the first byte of this piece.
    """

    data: bytes
    moment: MomentT
    begins: bool = True
    ends: bool = True

    @property
    def text(self) -> str:
        """What the bytes say, safe to show; see `printable`."""
        return printable(self.data)


def printable(data: bytes) -> str:
    r"""UTF-8 with everything a terminal would act on made visible: bytes that are no UTF-8 and control characters as ``\xNN``.

    ANSI colours (ESP-IDF prints them) are taken out; tabs stay.
    """
    text = data.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return visible(_COLOURS.sub("", text))


def visible(text: str) -> str:
    r"""`text` with every control character but tabs and line ends made visible as ``\xNN``."""
    if text.isprintable():
        return text
    return _UNPRINTABLE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


class LineAssembler(Generic[MomentT]):
    """Collects chunks as they come and gives back whole lines; at most `limit` bytes wait inside."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._pending = bytearray()
        self._first: list[MomentT] = []  # the moment of the first byte that waits, if any does
        self._begins = True

    @property
    def waiting(self) -> bool:
        """Whether the beginning of a line is here and its end is not."""
        return bool(self._pending)

    def feed(self, data: bytes, moment: MomentT) -> list[SerialLine[MomentT]]:
        """The lines that `data`, received at `moment`, completes, and pieces of a line longer than the limit."""
        *ended, rest = data.split(b"\n")
        lines: list[SerialLine[MomentT]] = []
        for part in ended:
            if self._pending or not self._begins or len(part) > self._limit:
                lines += self._append(part, moment)
                lines.append(self._cut(moment, ends=True))
            else:  # a whole line at once, as nearly all of them come
                lines.append(SerialLine(part.rstrip(b"\r"), moment))
        return lines + self._append(rest, moment)

    def flush(self) -> list[SerialLine[MomentT]]:
        """Give out what waits without an end, because nothing more is coming soon."""
        return [self._cut(moment, ends=False) for moment in self._first]

    def restart(self) -> list[SerialLine[MomentT]]:
        """Give out what waits; whatever comes next begins a line, because the connection was lost."""
        pieces = self.flush()
        self._begins = True
        return pieces

    def _append(self, part: bytes, moment: MomentT) -> list[SerialLine[MomentT]]:
        pieces = []
        while len(self._pending) + len(part) > self._limit:
            room = self._limit - len(self._pending)
            self._hold(part[:room], moment)
            pieces.append(self._cut(moment, ends=False))
            part = part[room:]
        self._hold(part, moment)
        return pieces

    def _hold(self, part: bytes, moment: MomentT) -> None:
        if part and not self._pending:
            self._first = [moment]
        self._pending += part

    def _cut(self, moment: MomentT, *, ends: bool) -> SerialLine[MomentT]:
        data = bytes(self._pending)
        first = self._first[0] if self._first else moment
        line = SerialLine(data.rstrip(b"\r") if ends else data, first, self._begins, ends)
        self._pending.clear()
        self._first = []
        self._begins = ends
        return line
