"""Recordings of a board's log, read back as what a port would have delivered; knows nothing of boards.

Three kinds are told apart by their beginning: raw bytes (``monitor --log``), which carry no times; text with a time
before each line (``monitor --timestamps``, in its own format); JSON lines (``monitor --json``).
"""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dispctl.adapters.port_reader import Closed, Moment, Opened, PortItem, Received
from dispctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

_MOST_BYTES = 65536
_LONGEST_LINE_BYTES = 65536
_TIMED = re.compile(rb"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])\.([0-9]{3}) (.*)", re.DOTALL)
_MARK = re.compile("── (.*) ──".encode())
_MESSAGE = re.compile(rb"Watching .* leaves\.\r?\n")
"""The monitor's own first words, where standard error was recorded as well."""
_HALF_A_DAY = timedelta(hours=12)


def read_recording(
    path: Path, *, speed: float | None = None, sleep: Callable[[float], None] = time.sleep
) -> Iterator[PortItem]:
    """What the recording holds; a raw one as pieces without a moment, the others line by line.

    With `speed` the time between two lines passes, divided by it, in `sleep`. Raises UsageError when the file cannot
    be read, or when it carries no times and a speed is asked for.
    """
    try:
        with path.open("rb") as file:
            first = file.readline(_LONGEST_LINE_BYTES)
            if _MESSAGE.match(first):
                first = file.readline(_LONGEST_LINE_BYTES)
            file.seek(0)
            if _is_json(first):
                yield from _paced(_json_items(file), speed, sleep)
            elif _TIMED.match(first):
                yield from _paced(_timed_items(file, _day_of(path)), speed, sleep)
            elif speed is not None:
                raise UsageError(
                    f"{path} carries no times, so it has no speed.",
                    hint="Record with: dispctl monitor --json > FILE, or --timestamps.",
                )
            else:
                yield from _raw_items(file)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def _raw_items(file: BinaryIO) -> Iterator[PortItem]:
    while data := file.read(_MOST_BYTES):
        yield Received(None, data)


def _paced(
    items: Iterator[PortItem], speed: float | None, sleep: Callable[[float], None]
) -> Iterator[PortItem]:
    before_s: float | None = None
    for item in items:
        if speed is not None and item.moment is not None:
            if before_s is not None and item.moment.monotonic_s > before_s:
                sleep((item.moment.monotonic_s - before_s) / speed)
            before_s = item.moment.monotonic_s
        yield item


def _day_of(path: Path) -> datetime:
    """The day on which the recording ended: its lines carry the time alone."""
    return datetime.fromtimestamp(path.stat().st_mtime).astimezone()


def _timed_items(file: BinaryIO, day: datetime) -> Iterator[PortItem]:
    before: datetime | None = None
    for line in file:
        match = _TIMED.match(line)
        if before is None and _MESSAGE.match(line):
            continue
        if match is None:  # the second half of a line that the program cut, or a line of another program
            yield Received(None if before is None else _moment(before), line)
            continue
        hour, minute, second, thousandths = map(int, match.groups()[:4])
        then = day.replace(hour=hour, minute=minute, second=second, microsecond=thousandths * 1000)
        if before is not None and before - then > _HALF_A_DAY:
            day += timedelta(days=1)
            then += timedelta(days=1)
        before = then
        if not _MARK.match(match[5]):
            yield Received(_moment(then), match[5])


def _json_items(file: BinaryIO) -> Iterator[PortItem]:
    for line in file:
        told = _json_object(line)
        moment = _told_moment(told)
        if told.get("event") in {"port_opened", "port_reopened"} and moment is not None:
            yield Opened(moment, again=told["event"] == "port_reopened", port=str(told.get("port")))
        elif told.get("event") == "port_lost" and moment is not None:
            yield Closed(moment, str(told.get("message")))
        elif isinstance(told.get("text"), str):
            yield Received(moment, told["text"].encode("utf-8", "replace") + b"\n")


def _is_json(line: bytes) -> bool:
    return {"time", "event", "level"} <= _json_object(line).keys()


def _json_object(line: bytes) -> dict[str, Any]:
    """The object in a line; an empty one when it is none."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _told_moment(told: dict[str, Any]) -> Moment | None:
    try:
        return _moment(datetime.fromisoformat(told["time"]).astimezone())
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _moment(then: datetime) -> Moment:
    return Moment(then.timestamp(), then.timestamp())
