"""``dispctl monitor``: the board's log, coloured, filtered, recorded, replayed or as JSON."""

import re
import threading
from contextlib import ExitStack
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import Baud, Json, Port, Quiet, Verbose
from dispctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dispctl.adapters.port_reader import PortItem
    from dispctl.logs.filter import LineFilter
    from dispctl.operations.monitor import LineSeen, MonitorEvent

LIMITS = "Ending by itself"


class Level(str, Enum):
    """How important a line has to be to be shown."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def monitor(
    *,
    port: Port = "auto",
    baud: Baud = 115200,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Show only lines with this tag (repeatable).")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Hide lines with this tag (repeatable).")
    ] = None,
    grep: Annotated[str | None, typer.Option(metavar="REGEX", help="Show only lines that match.")] = None,
    level: Annotated[Level, typer.Option(help="Show only lines of this level and above.")] = Level.DEBUG,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Begin each line with the time of its first byte.")
    ] = False,
    timestamp_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="As strftime has it; %f is thousandths. Implies --timestamps."),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Append every byte to FILE, unfiltered."),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Show a recorded FILE instead of a board."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="End with 0 at a matching line.", rich_help_panel=LIMITS),
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="End with 8 at a matching line.", rich_help_panel=LIMITS),
    ] = None,
    until_job_done: Annotated[
        bool,
        typer.Option(
            "--until-job-done",
            help="End when a job's report is accepted: 0, or 8 if items failed.",
            rich_help_panel=LIMITS,
        ),
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="End after so long, with 9 if something is awaited.",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    idle_timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", min=0, help="The same, after so long a silence.", rich_help_panel=LIMITS
        ),
    ] = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show what the board prints. Never resets it, never types; Ctrl-] or Ctrl-C leaves.

    A board that is unplugged or reset is picked up again, and the gap is marked. Answers to control lines are hidden
    unless --verbose is given.
    """
    from dispctl.logs.filter import LineFilter
    from dispctl.operations import monitor as operation

    console = Console(json=json, quiet=quiet, verbose=verbose)
    shown = LineFilter(_tags(tag), _tags(exclude), _regex("--grep", grep), level.value, control_lines=verbose)
    end = operation.EndCondition(
        _regex("--until", until), _regex("--fail-on", fail_on), until_job_done, timeout, idle_timeout
    )
    time_format = timestamp_format or ("%H:%M:%S.%f" if timestamps else None)
    with ExitStack() as stack:
        record = stack.enter_context(_recording(log)) if log else None
        items = _recorded(replay) if replay else _live(stack, port, baud)
        show = _json_show(console, shown) if json else _text_show(console, stack, shown, time_format)
        _run(operation.monitor(items, end, record=record), show)


def _run(events: "Iterable[MonitorEvent]", show: "Callable[[MonitorEvent], None]") -> None:
    try:
        for event in events:
            show(event)
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _live(stack: ExitStack, port: str, baud: int) -> "Iterable[PortItem]":
    from dispctl.adapters.port_reader import read_port
    from dispctl.cli.keyboard import quit_key

    stop = threading.Event()
    items = read_port(port, baud=baud, stop=stop)
    stack.callback(items.close)
    stack.enter_context(quit_key(stop.set))
    return items


def _recorded(path: Path) -> "Iterable[PortItem]":
    from dispctl.adapters.port_reader import read_recording

    return read_recording(path)


def _recording(path: Path) -> BinaryIO:
    try:
        return path.open("ab")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _text_show(
    console: Console, stack: ExitStack, shown: "LineFilter", time_format: str | None
) -> "Callable[[MonitorEvent], None]":
    from dispctl.cli.log_view import LogView
    from dispctl.operations.monitor import Attached, Detached, LineSeen, Reattached

    view = LogView(console.out, time_format=time_format)
    stack.callback(view.close)

    def show(event: "MonitorEvent") -> None:
        if isinstance(event, LineSeen):
            if shown.passes(event.log, event.text):
                view.show(event)
        elif isinstance(event, Attached):
            console.message(f"Watching {event.port} (no reset, nothing typed). Ctrl-] leaves.")
        elif isinstance(event, Detached):
            view.mark("the board is gone; waiting for it", event.moment)
        elif isinstance(event, Reattached):
            view.mark(f"the board is back after {event.gap_s:.1f} s", event.moment)

    return show


def _json_show(console: Console, shown: "LineFilter") -> "Callable[[MonitorEvent], None]":
    from dispctl.operations.monitor import Attached, LineSeen, Reattached

    port: str | None = None

    def show(event: "MonitorEvent") -> None:
        nonlocal port
        if isinstance(event, (Attached, Reattached)):
            port = event.port
        if not isinstance(event, LineSeen) or shown.passes(event.log, event.text):
            console.json_line(event_object(event, port))

    return show


def event_object(event: "MonitorEvent", port: str | None) -> dict[str, Any]:
    """The JSON form of an event: ``{time, port, tag, level, message, event, fields}``.

    ``time`` is ISO 8601 with the offset of this place; it and ``port`` are null in a recording.
    """
    from dispctl.operations.monitor import Attached, Detached, LineSeen

    if isinstance(event, LineSeen):
        return _line_object(event, port)
    if isinstance(event, Attached):
        told: tuple[str, str, str, dict[str, Any]] = ("info", "attached without a reset", "port_opened", {})
    elif isinstance(event, Detached):
        told = ("warning", event.reason, "port_lost", {})
    else:
        told = ("warning", "attached again", "port_reopened", {"gap_s": round(event.gap_s, 3)})
    level, message, name, fields = told
    time = _iso(event.moment.epoch_s)
    return {
        "time": time,
        "port": port,
        "tag": None,
        "level": level,
        "message": message,
        "event": name,
        "fields": fields,
    }


def _line_object(line: "LineSeen", port: str | None) -> dict[str, Any]:
    log = line.log
    return {
        "time": None if line.moment is None else _iso(line.moment.epoch_s),
        "port": port,
        "tag": log.tag,
        "level": log.level,
        "message": log.message,
        "event": log.event,
        "fields": dict(log.fields),
    }


def _iso(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s).astimezone().isoformat(timespec="milliseconds")


def _tags(names: list[str] | None) -> frozenset[str]:
    return frozenset(name.strip("[]").upper() for name in names or ())


def _regex(option: str, text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"{option} is not a regular expression: {error}.") from error
