"""``dispctl monitor``: the board's log, coloured, filtered, recorded, replayed or as JSON."""

import re
from enum import Enum
from pathlib import Path
from typing import Annotated

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
from dispctl.errors import UsageError

LIMITS = "Ending by itself"
RECORDINGS = "Recordings"


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
    from dispctl.cli.log_view import TIME_FORMAT
    from dispctl.cli.monitor_run import PICTURE_WIDTH, Wanted, run_monitor
    from dispctl.logs.filter import LineFilter, tag_set
    from dispctl.operations.monitor import EndCondition

    width = PICTURE_WIDTH if picture else None
    console = Console(json=json, quiet=quiet, verbose=verbose, record_width=width)
    if replay and (port or reset or interactive):
        raise UsageError(
            "A recording has no port to open, reset or type to.", hint="Leave out --replay or the others."
        )
    if speed is not None and not replay:
        raise UsageError("Only a recording has a speed.", hint="Give one with --replay FILE.")
    if interactive and len(port or ()) > 1:
        raise UsageError("Typing goes to one board.", hint="Give one --port with --interactive.")
    wanted = Wanted(
        ports={"": ""} if replay else _labelled(port or ["auto"]),
        baud=baud,
        shown=LineFilter(
            tag_set(tag or ()),
            tag_set(exclude or ()),
            _regex("--grep", grep),
            level.value,
            control_lines=verbose,
        ),
        end=EndCondition(
            _regex("--until", until), _regex("--fail-on", fail_on), until_job_done, timeout, idle_timeout
        ),
        time_format=timestamp_format or (TIME_FORMAT if timestamps else None),
        log=log,
        replay=replay,
        speed=speed,
        picture=picture,
        interactive=interactive,
        reset=reset,
    )
    run_monitor(console, wanted)


def _labelled(names: list[str]) -> dict[str, str]:
    """Ports by what their lines are marked with: the last part of their names, or all of it where two agree."""
    short = [re.split(r"[/:]", name.removeprefix("sim:"))[-1] or name for name in names]
    labels = short if len(set(short)) == len(names) else names
    if len(set(labels)) != len(names):
        raise UsageError("A port is given twice.")
    return dict(zip(labels, names, strict=True))


def _regex(option: str, text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"{option} is not a regular expression: {error}.") from error
