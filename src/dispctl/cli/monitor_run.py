"""One run of ``dispctl monitor``: ports or a recording, a view, a record, and a person at the keyboard, put together."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from dispctl.cli.monitor_view import MonitorView
from dispctl.errors import ExitCode, UsageError
from dispctl.operations.monitor import UNENDED_AFTER_S, monitor_boards

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from dispctl.adapters.port_reader import PortItem
    from dispctl.cli.console import Console
    from dispctl.cli.log_json import JsonView
    from dispctl.cli.monitor_session import Recording
    from dispctl.logs.filter import LineFilter
    from dispctl.operations.monitor import EndCondition

    View = MonitorView | JsonView

PICTURE_WIDTH = 110


@dataclass(frozen=True)
class Wanted:
    """What a run was asked for: `ports` by the labels of their boards (one of neither for a recording), or `replay`."""

    ports: Mapping[str, str]
    baud: int
    shown: LineFilter
    end: EndCondition
    time_format: str | None
    log: Path | None
    replay: Path | None
    speed: float | None
    picture: Path | None
    interactive: bool
    reset: bool

    @property
    def boards(self) -> list[str]:
        """The boards' labels."""
        return list(self.ports)


def run_monitor(console: Console, wanted: Wanted) -> None:
    """Watch until what is waited for has come; raises as `monitor_boards`, and `typer.Exit` on Ctrl-C."""
    from dispctl.cli.monitor_session import Recording

    with ExitStack() as stack:
        if wanted.picture:
            stack.callback(_save_picture, console, wanted.picture)
        view = _view(console, wanted)
        stack.callback(view.close)
        recording = Recording(wanted.boards)
        stack.callback(recording.end)
        if wanted.log:
            recording.begin(wanted.log)
        if wanted.replay:
            items = _recorded(wanted.replay, wanted.speed)
        else:
            items = _live(stack, wanted, recording, view)
        _show(items, wanted, recording, view)


def _view(console: Console, wanted: Wanted) -> View:
    from dispctl.cli.foot import Foot
    from dispctl.cli.log_json import JsonView
    from dispctl.cli.log_view import LogView

    if console.json:
        return JsonView(console, wanted.shown)
    on_terminal = sys.stdout.isatty() and not console.out.is_dumb_terminal and not console.out.record
    view = LogView(
        console.out,
        time_format=wanted.time_format,
        boards=wanted.boards if len(wanted.boards) > 1 else (),
        editing=wanted.interactive,
        foot=Foot(console.out) if on_terminal else None,
        batched=True,
    )
    fold = not console.verbose and (on_terminal or console.out.record)
    return MonitorView(view, wanted.shown, wanted.boards, fold=fold, tell=console.message)


def _recorded(path: Path, speed: float | None) -> Iterable[tuple[str, PortItem]]:
    from dispctl.adapters.recordings import read_recording

    return (("", item) for item in read_recording(path, speed=speed))


def _live(
    stack: ExitStack, wanted: Wanted, recording: Recording, view: View
) -> Iterable[tuple[str, PortItem]]:
    from dispctl.adapters.port_reader import PortReaders
    from dispctl.cli.monitor_session import Session

    stop = threading.Event()
    readers = PortReaders(wanted.ports, baud=wanted.baud)
    stack.callback(readers.close)
    session = Session(readers, wanted.boards, recording, stop, interactive=wanted.interactive)
    hears_keys = stack.enter_context(session.keys())
    if wanted.reset:
        for board in wanted.boards:
            readers.reset(board)
    items = readers.items(stop)
    if not isinstance(view, MonitorView):
        return items
    view.hears_keys = hears_keys
    view.resets = wanted.reset
    return session.attended(items, view)


def _show(items: Iterable[tuple[str, PortItem]], wanted: Wanted, recording: Recording, view: View) -> None:
    patience_s = 0.0 if wanted.interactive else UNENDED_AFTER_S
    events = monitor_boards(
        _settled(items, view), wanted.boards, wanted.end, records=recording.sinks, unended_after_s=patience_s
    )
    try:
        for board, event in events:
            view.show(board, event)
    except KeyboardInterrupt:
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _settled(items: Iterable[tuple[str, PortItem]], view: View) -> Iterator[tuple[str, PortItem]]:
    """The same items; what came of each is on the screen, and the foot up to date, before the next is asked for."""
    for found in items:
        yield found
        view.settle()


def _save_picture(console: Console, path: Path) -> None:
    try:
        path.write_text(console.picture("dispctl monitor"), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
