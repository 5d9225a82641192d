"""Shows `dispctl flash` at work: one board in sentences, several in a line of progress each and a table at the end."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import typer

from dispctl.cli.console import failure_object
from dispctl.errors import DispctlError, UsageError
from dispctl.operations import boot, busy, package_form, update_firmware
from dispctl.operations.firmware_package import twin_of
from dispctl.operations.kept_files import Replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispctl.cli.console import Console, ProgressBar
    from dispctl.cli.flash import Operation
    from dispctl.operations.choose_boards import ChosenBoard


class Bar(Protocol):
    """Where a board's progress is shown."""

    def move(self, part: float, words: str) -> None:
        """`part` of the work that `words` name is done, 0 to 1."""

    def close(self) -> None:
        """Make room for sentences."""


def show_boards(console: Console, boards: Sequence[ChosenBoard], operation: Operation) -> None:
    """Run the operation on every board and show it; raises the failure of one board, or `typer.Exit` for several."""
    if len(boards) == 1:
        _show_one(console, boards[0], operation)
    else:
        _show_several(console, boards, operation)


def _show_one(console: Console, board: ChosenBoard, operation: Operation) -> None:
    with ExitStack() as bars:
        bar = _OwnBar(console, bars)
        view = BoardView(console, board.name, bar)
        for event in operation(board, bar.move):
            view.show(event)
    console.result(view.summary, view.last_words)


def _show_several(console: Console, boards: Sequence[ChosenBoard], operation: Operation) -> None:
    from dispctl.operations.several_boards import Ended, run_all

    failures: dict[str, DispctlError] = {}
    with console.progress_lines([board.name for board in boards]) as lines:
        bars = {board.name: _SharedBar(lines[board.name], board.name) for board in boards}
        views = {name: BoardView(console, name, bar, one_of_several=True) for name, bar in bars.items()}
        steps = run_all({board.name: _begin(operation, board, bars[board.name]) for board in boards})
        for step in steps:
            view = views[step.board]
            if isinstance(step, Ended):
                if step.error is not None:
                    failures[step.board] = step.error
                view.end(step.error)
                continue
            try:
                view.show(step.event)
            except UsageError as refusal:
                step.refuse(refusal)
    if not console.json:
        console.result({}, _table(views, failures))
    first = next((failures[board.name] for board in boards if board.name in failures), None)
    if first is not None:
        raise typer.Exit(first.exit_code)


def _begin(operation: Operation, board: ChosenBoard, bar: Bar) -> Callable[[], Any]:
    return lambda: operation(board, bar.move)


def _table(views: dict[str, BoardView], failures: dict[str, DispctlError]) -> Any:
    from rich.table import Table

    table = Table("board", "MAC", "firmware", "result", box=None, pad_edge=False)
    for name, view in views.items():
        error = failures.get(name)
        words = error.message if error else "runs"
        summary = view.summary
        table.add_row(
            name, summary.get("mac", "-"), summary.get("firmware", "-"), words, style="red" if error else ""
        )
    return table


class BoardView:
    """Shows one board's events as they come and gathers what ``--json`` tells at the end."""

    def __init__(self, console: Console, board: str, bar: Bar, *, one_of_several: bool = False) -> None:
        self.summary: dict[str, Any] = {"port": board}
        self.last_words = ""
        self._console = console
        self._prefix = f"{board}: " if one_of_several else ""
        self._bar = bar

    def show(self, event: Any) -> None:
        """Tell of one event; raises UsageError when something is about to be lost and nobody agrees."""
        if isinstance(event, busy.Waited):
            self._say(f"A jar is being poured (item {event.item}/{event.total}): waiting for the end.")
        elif isinstance(event, boot.Started):
            self.summary |= {"firmware": event.version, "uid": event.uid}
            self.last_words = f"The board runs dispctl firmware {event.version}."
        elif isinstance(event, package_form.Prepared):
            self._show_form(event)
        elif isinstance(event, update_firmware.Compared):
            self._show_compared(event)
        elif isinstance(event, Replaced):
            self.summary |= {"replaced": list(event.paths), "backup": str(event.backup)}
            self._say(f"Not ours and replaced: {', '.join(event.paths)} (saved in {event.backup}).")
        elif isinstance(event, update_firmware.Committed):
            self._bar.close()
            self.summary |= {"sent_bytes": event.sent_bytes}
            self._detail(f"Sent {event.sent_bytes} bytes. Waiting for the new version to start.")
        else:
            self._show_flashing(event)

    def end(self, error: DispctlError | None) -> None:
        """One of several boards is done."""
        self._bar.close()
        if self._console.json:
            self._console.json_line({**self.summary, **(failure_object(error) if error else {})})
        else:
            self._say(f"{error.message} {error.hint or ''}".rstrip() if error else self.last_words)

    def _show_flashing(self, event: Any) -> None:
        from dispctl.operations import flash as operation

        if isinstance(event, operation.Connected):
            self.summary |= {"mac": event.mac, "flash_size": event.flash_size, "baud": event.baud}
            self._say(
                f"Connected to {event.mac}, {event.flash_size // 2**20} MiB of flash, at {event.baud} baud."
            )
        elif isinstance(event, operation.SlowedDown):
            self._bar.close()
            self._console.warning(f"{self._prefix}{event.reason} Going on at {event.baud} baud.")
        elif isinstance(event, operation.Dropping):
            self._ask(event)
        elif isinstance(event, operation.Kept):
            self._show_kept(event)
        elif isinstance(event, operation.Written):
            self._bar.close()
            self.summary |= {"micropython": event.micropython, "files": event.files}
            was = "was there already" if event.was_there else "written"
            self._detail(f"MicroPython {event.micropython} {was}.")
        elif isinstance(event, operation.Verified):
            self._detail(
                f"Verified; {event.kept} kept files byte by byte. Waiting for the firmware to start."
            )

    def _show_form(self, event: package_form.Prepared) -> None:
        self.summary |= {"form": event.form}
        if event.reason:
            self.summary |= {"form_reason": event.reason}
            self._bar.close()
            self._console.warning(self._prefix + event.reason)

    def _show_compared(self, event: update_firmware.Compared) -> None:
        self.summary |= {
            "mac": event.mac, "micropython": event.micropython, "changed": list(event.changed), "stale": list(event.stale)
        }  # fmt: skip
        # A module that changes its form is one change, not two.
        away = [f"{path} (away)" for path in event.stale if twin_of(path) not in event.changed]
        if event.changed or away:
            self._say(f"To change: {', '.join([*event.changed, *away])}.")
        else:
            self._say("The firmware package is up to date; restarting the board.")

    def _ask(self, event: Any) -> None:
        where = f" They are saved in {event.backup}." if event.backup else ""
        self._say(f"This drops from the board: {', '.join(event.what)}.{where}")
        if self._prefix and not self._console.yes:
            raise UsageError(
                "Something on the board would be dropped.",
                hint="Flash it alone, or agree for all with --yes.",
            )
        self._console.confirm("Drop it?")

    def _show_kept(self, event: Any) -> None:
        self.summary |= {"kept": list(event.paths), "backup": event.backup and str(event.backup)}
        if event.resumed:
            self._say("An earlier run was cut: the board's files are taken from its backup.")
        if event.paths:
            self._say(f"Kept: {', '.join(event.paths)} (saved in {event.backup}).")

    def _say(self, text: str) -> None:
        self._console.message(self._prefix + text)

    def _detail(self, text: str) -> None:
        self._console.detail(self._prefix + text)


class _OwnBar:
    """Appears with the first move, so that no question is asked under it."""

    def __init__(self, console: Console, bars: ExitStack) -> None:
        self._console = console
        self._bars = bars
        self._bar: ProgressBar | None = None

    def move(self, part: float, words: str) -> None:
        if self._bar is None:
            self._bar = self._bars.enter_context(self._console.progress(words))
        self._bar.update(part, 1.0, words)

    def close(self) -> None:
        self._bars.close()
        self._bar = None


class _SharedBar:
    """One line among those of other boards; it stays."""

    def __init__(self, line: ProgressBar, board: str) -> None:
        self._line = line
        self._board = board

    def move(self, part: float, words: str) -> None:
        self._line.update(part, 1.0, f"{self._board}: {words}")

    def close(self) -> None:
        """Sentences are printed above the lines."""
