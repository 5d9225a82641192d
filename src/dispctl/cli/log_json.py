"""The log as JSON lines: ``{time, board, port, tag, level, message, event, fields, text}``, one for each line and gap."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dispctl.operations.monitor import Attached, Detached, LineSeen, Reattached

if TYPE_CHECKING:
    from dispctl.adapters.port_reader import Moment
    from dispctl.cli.console import Console
    from dispctl.logs.filter import LineFilter
    from dispctl.operations.monitor import MonitorEvent


class JsonView:
    """Writes what passes `shown`; times are ISO 8601 with this place's offset, null in a raw recording."""

    def __init__(self, console: Console, shown: LineFilter) -> None:
        self._console = console
        self._shown = shown
        self._ports: dict[str, str] = {}

    def show(self, board: str, event: MonitorEvent) -> None:
        """Write one event of `board`."""
        if isinstance(event, (Attached, Reattached)):
            self._ports[board] = event.port
        if isinstance(event, LineSeen) and not self._shown.passes(event.log, event.text):
            return
        told = _line(event) if isinstance(event, LineSeen) else _gap(event)
        self._console.json_line(
            {"time": _iso(event.moment), "board": board or None, "port": self._ports.get(board), **told}
        )

    def settle(self) -> None:
        """Every line is written at once."""

    def close(self) -> None:
        """Nothing is held back."""


def _line(line: LineSeen) -> dict[str, Any]:
    log = line.log
    return {
        "tag": log.tag,
        "level": log.level,
        "message": log.message,
        "event": log.event,
        "fields": dict(log.fields),
        "text": line.text,
    }


def _gap(event: Attached | Detached | Reattached) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if isinstance(event, Attached):
        level, message, name = "info", "attached", "port_opened"
    elif isinstance(event, Detached):
        level, message, name = "warning", event.reason, "port_lost"
    else:
        level, message, name = "warning", "attached again", "port_reopened"
        fields = {"gap_s": round(event.gap_s, 3)}
    return {"tag": None, "level": level, "message": message, "event": name, "fields": fields, "text": None}


def _iso(moment: Moment | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment.epoch_s).astimezone().isoformat(timespec="milliseconds")
