"""``dispctl monitor``: the board's log, coloured, filtered, recorded, replayed or as JSON."""

import re
import sys
import threading
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import (
    PORT_ENVIRONMENT,
    Baud,
    Json,
    Quiet,
    Verbose,
    complete_port,
    complete_tag,
)
from dispctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dispctl.adapters.port_reader import PortItem
    from dispctl.cli.log_json import JsonView
    from dispctl.cli.monitor_session import Recording
    from dispctl.cli.monitor_view import MonitorView
    from dispctl.logs.filter import LineFilter
    from dispctl.operations.monitor import EndCondition

LIMITS = "Ending by itself"
RECORDINGS = "Recordings"
PICTURE_WIDTH = 110


class Level(str, Enum):
    """How important a line has to be to be shown."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def monitor(
    *,
    port: Annotated[
        list[str] | None,
        typer.Option(
            "--port",
            "-p",
            envvar=PORT_ENVIRONMENT,
            metavar="PORT",
            autocompletion=complete_port,
            help="Where the board is, as for the other commands (default auto); repeat it for several boards.",
        ),
    ] = None,
    baud: Baud = 115200,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TAG", autocompletion=complete_tag, help="Show only lines with this tag (repeatable)."
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TAG", autocompletion=complete_tag, help="Hide lines with this tag (repeatable)."
        ),
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
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Append every byte to FILE, unfiltered.",
            rich_help_panel=RECORDINGS,
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Show a recording: of --log, --json or --timestamps.",
            rich_help_panel=RECORDINGS,
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            metavar="TIMES",
            min=0.001,
            help="Replay so many times as fast as it was, not at once (a --log carries no times).",
            rich_help_panel=RECORDINGS,
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg",
            dir_okay=False,
            help="Save what was shown as a picture.",
            rich_help_panel=RECORDINGS,
        ),
    ] = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Type to the board; Ctrl-C goes to it too.")
    ] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Reset the board first.")] = False,
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
    """Show what the board prints. Does not reset it and types nothing, unless told to.

    Ctrl-] or Ctrl-C leaves, Ctrl-T h tells the other keys. A board that is unplugged, reset or renumbered is picked up
    again, and the gap is marked. Answers to control lines are hidden and outer frames of tracebacks are folded unless
    --verbose is given; nothing is folded in pipes.
    """
    from dispctl.logs.filter import LineFilter, tag_set
    from dispctl.operations.monitor import EndCondition

    console = Console(
        json=json, quiet=quiet, verbose=verbose, record_width=PICTURE_WIDTH if picture else None
    )
    if replay and (port or reset or interactive):
        raise UsageError(
            "A recording has no port to open, reset or type to.", hint="Leave out --replay or the others."
        )
    if speed is not None and not replay:
        raise UsageError("Only a recording has a speed.", hint="Give one with --replay FILE.")
    if interactive and len(port or ()) > 1:
        raise UsageError("Typing goes to one board.", hint="Give one --port with --interactive.")
    shown = LineFilter(
        tag_set(tag or ()), tag_set(exclude or ()), _regex("--grep", grep), level.value, control_lines=verbose
    )
    end = EndCondition(
        _regex("--until", until), _regex("--fail-on", fail_on), until_job_done, timeout, idle_timeout
    )
    ports = {"": ""} if replay else _labelled(port or ["auto"])
    with ExitStack() as stack:
        if picture:
            stack.callback(_save_picture, console, picture)
        view = _view(
            console, shown, list(ports), timestamp_format, timestamps=timestamps, editing=interactive
        )
        stack.callback(view.close)
        recording = _recording(stack, list(ports), log)
        if replay:
            _run(_recorded(replay, speed), list(ports), end, recording, view)
        else:
            _watch(stack, ports, end, recording, view, baud=baud, interactive=interactive, reset=reset)


def _labelled(names: list[str]) -> dict[str, str]:
    """Ports by what their lines are marked with: the last part of their names, or all of it where two agree."""
    short = [re.split(r"[/:]", name.removeprefix("sim:"))[-1] or name for name in names]
    labels = short if len(set(short)) == len(names) else names
    if len(set(labels)) != len(names):
        raise UsageError("A port is given twice.")
    return dict(zip(labels, names, strict=True))


def _view(
    console: Console,
    shown: "LineFilter",
    boards: list[str],
    timestamp_format: str | None,
    *,
    timestamps: bool,
    editing: bool,
) -> "MonitorView | JsonView":
    from dispctl.cli.foot import Foot
    from dispctl.cli.log_json import JsonView
    from dispctl.cli.log_view import TIME_FORMAT, LogView
    from dispctl.cli.monitor_view import MonitorView

    if console.json:
        return JsonView(console, shown)
    on_terminal = sys.stdout.isatty() and not console.out.is_dumb_terminal and not console.out.record
    view = LogView(
        console.out,
        time_format=timestamp_format or (TIME_FORMAT if timestamps else None),
        boards=boards if len(boards) > 1 else (),
        editing=editing,
        foot=Foot(console.out) if on_terminal else None,
        batched=True,
    )
    fold = not console.verbose and (on_terminal or console.out.record)
    return MonitorView(view, shown, boards, fold=fold, tell=console.message)


def _recording(stack: ExitStack, boards: list[str], log: Path | None) -> "Recording":
    from dispctl.cli.monitor_session import Recording

    recording = Recording(boards)
    stack.callback(recording.end)
    if log:
        recording.begin(log)
    return recording


def _watch(
    stack: ExitStack,
    ports: dict[str, str],
    end: "EndCondition",
    recording: "Recording",
    view: "MonitorView | JsonView",
    *,
    baud: int,
    interactive: bool,
    reset: bool,
) -> None:
    from dispctl.adapters.port_reader import PortReaders
    from dispctl.cli.log_json import JsonView
    from dispctl.cli.monitor_session import Session

    stop = threading.Event()
    readers = PortReaders(ports, baud=baud)
    stack.callback(readers.close)
    session = Session(readers, list(ports), recording, stop, interactive=interactive)
    stack.enter_context(session.keys())
    if reset:
        for label in ports:
            readers.reset(label)
    items: Iterable[tuple[str, PortItem]] = readers.items(stop)
    if not isinstance(view, JsonView):
        items = session.attended(items, view)
    _run(items, list(ports), end, recording, view, unended_after_s=0.0 if interactive else None)


def _recorded(path: Path, speed: float | None) -> "Iterable[tuple[str, PortItem]]":
    from dispctl.adapters.recordings import read_recording

    return (("", item) for item in read_recording(path, speed=speed))


def _run(
    items: "Iterable[tuple[str, PortItem]]",
    boards: list[str],
    end: "EndCondition",
    recording: "Recording",
    view: "MonitorView | JsonView",
    *,
    unended_after_s: float | None = None,
) -> None:
    from dispctl.cli.log_json import JsonView
    from dispctl.operations.monitor import UNENDED_AFTER_S, monitor_boards

    if not isinstance(view, JsonView):
        items = _settled(items, view)
    patience_s = UNENDED_AFTER_S if unended_after_s is None else unended_after_s
    events = monitor_boards(items, boards, end, records=recording.sinks, unended_after_s=patience_s)
    try:
        for board, event in events:
            view.show(board, event)
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _settled(
    items: "Iterable[tuple[str, PortItem]]", view: "MonitorView"
) -> "Iterator[tuple[str, PortItem]]":
    """The same items; what came of each is on the screen, and the foot up to date, before the next is asked for."""
    for found in items:
        yield found
        view.settle()


def _save_picture(console: Console, path: Path) -> None:
    try:
        path.write_text(console.picture("dispctl monitor"), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _regex(option: str, text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"{option} is not a regular expression: {error}.") from error
