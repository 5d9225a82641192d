"""A log line to what it reports: tag, level, message and, where the line is known, an event with its fields. Pure.

The Portuguese lines are those of the phase-2 document, which the firmware prints to the letter; the others are what
the chip's ROM and MicroPython print. A line that is not known is a line all the same, without an event.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from dispctl.logs.patterns import KNOWN_LINES, SECONDS_FIELDS, TEXT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVELS = ("debug", "info", "warning", "error")
"""From the least to the most important."""

_TAGGED = re.compile(r"\[(?P<tag>[A-Z][A-Z0-9_-]{0,23})\] ?(?P<message>.*)", re.DOTALL)
_ESP_IDF = re.compile(r"(?P<level>[EWIDV]) \(\d+\) (?P<tag>[\w.-]{1,32}): (?P<message>.*)", re.DOTALL)
_ESP_IDF_LEVELS = {"E": "error", "W": "warning", "I": "info", "D": "debug", "V": "debug"}
_MARKS = {"✗": "error", "⚠": "warning", "⚡": "warning"}
_ANY_MARK = re.compile("[" + "".join(_MARKS) + "]")
_QUIET_TAGS = frozenset({"CTL", "HTTP"})
_PYTHON_ERROR = re.compile(
    r"(?:Traceback \(most recent call last\)|  File \"|[A-Z]\w*(?:Error|Exception|Interrupt)\b)"
)


_NO_FIELDS: Mapping[str, str | int | float] = MappingProxyType({})


class LogEvent(NamedTuple):
    """What a line says: `tag` is None on a line without one, `event` on a line that is not known.

    A tuple, because it is made for every line of a log, and in a third of a frozen dataclass's time.
    """

    tag: str | None
    level: str
    message: str
    event: str | None = None
    fields: Mapping[str, str | int | float] = _NO_FIELDS


def read_line(text: str) -> LogEvent:
    """The `LogEvent` of one line of text; never fails, whatever the text."""
    if match := _TAGGED.match(text):
        return _tagged(match["tag"], match["message"])
    if match := _ESP_IDF.match(text):
        return LogEvent(match["tag"], _ESP_IDF_LEVELS[match["level"]], match["message"])
    event, fields = _recognise(None, text)
    return LogEvent(None, _level(None, text, event), text, event, fields)


def _tagged(tag: str, message: str) -> LogEvent:
    event, fields = _recognise(tag, message)
    return LogEvent(tag, _level(tag, message, event), message, event, fields)


def _recognise(tag: str | None, message: str) -> tuple[str | None, Mapping[str, str | int | float]]:
    known = KNOWN_LINES.get(tag)
    if known is None or not known.any_of_them.fullmatch(message):
        return None, _NO_FIELDS
    for name, pattern in known.patterns:
        if match := pattern.fullmatch(message):
            return name, {
                key: _value(key, text) for key, text in match.groupdict().items() if text is not None
            }
    return None, _NO_FIELDS


def _value(key: str, text: str) -> str | int | float:
    if key in TEXT_FIELDS:
        return text
    return float(text) if key in SECONDS_FIELDS else int(text)


def _level(tag: str | None, message: str, event: str | None) -> str:
    if tag in _QUIET_TAGS or event == "boot_detail":
        return "debug"
    if tag is None and (event in {"flash_blank", "crashed"} or _PYTHON_ERROR.match(message)):
        return "error"
    if not _ANY_MARK.search(message):
        return "info"
    return next(level for mark, level in _MARKS.items() if mark in message)
