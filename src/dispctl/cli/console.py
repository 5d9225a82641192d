"""The only module that prints: results on standard output, messages and progress on standard error.

A command makes one `Console` from its shared options and shows everything through it. With ``--json`` results are
JSON objects (one, or one a line where things happen over time) and failures are ``{"error": …}`` objects as well.
"""

from __future__ import annotations

import json as json_module
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

import typer

from dispctl.errors import DispctlError, ExitCode, UsageError
from dispctl.logs.lines import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console as RichConsole
    from rich.console import RenderableType

    from dispctl.cli.foot import LiveLines


class ProgressBar(Protocol):
    """What a command tells of long work: how much of how much, and under which words."""

    def update(
        self, done: float, total: float | None = None, words: str | None = None, note: str | None = None
    ) -> None:
        """Move the bar to `done` of `total` (any one unit) and, if given, change its words.

        A `note` stands behind it in place of the part that is done and the time that is left.
        """


class Console:
    """How one run of a command speaks; see the module's description.

    With `record_width` (characters) what goes to standard output can be had as a `picture` afterwards.
    """

    def __init__(
        self,
        *,
        json: bool = False,
        yes: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        record_width: int | None = None,
    ) -> None:
        self.json = json
        self.yes = yes
        self.quiet = quiet
        self.verbose = verbose
        self.out = _rich_console(sys.stdout, record_width)
        self.err = _rich_console(sys.stderr)
        self._live: LiveLines | None = None
        global _active  # noqa: PLW0603 - a failure is shown as the command that met it speaks
        _active = self

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to answer: standard input and standard error are a terminal."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def _shows_no_progress(self) -> bool:
        return (
            self.quiet or not self.err.file.isatty() or self.err.is_dumb_terminal or self.err.legacy_windows
        )

    def result(self, data: Any, *views: RenderableType) -> None:
        """Show a result: `data` as one JSON line with ``--json``, else `views` one below the other."""
        if self.json:
            self.json_line(data)
            return
        with self._above():
            for view in views:
                _print(self.out, view)

    def picture(self, title: str) -> str:
        """What was shown on standard output, as an SVG of a terminal window; needs `record_width`."""
        return self.out.export_svg(title=title)

    def json_line(self, data: Any) -> None:
        """Write one JSON object a line, flushed, so that a pipe sees it at once."""
        with self._above():
            write_json_line(data)

    def message(self, view: RenderableType) -> None:
        """Tell on standard error what is going on, unless ``--quiet``."""
        if not self.quiet:
            with self._above():
                _print(self.err, view)

    def warning(self, text: str) -> None:
        """Tell on standard error what needs attention; ``--quiet`` does not silence it."""
        with self._above():
            self.err.print(visible(f"Warning: {text}"), style="yellow", soft_wrap=True)

    def detail(self, text: str) -> None:
        """Tell on standard error what only ``--verbose`` asks for."""
        if self.verbose:
            with self._above():
                self.err.print(visible(text), style="dim", soft_wrap=True)

    def confirm(self, question: str) -> None:
        """Ask before something is lost; returns on yes, raises `UsageError` on no or where nobody can answer."""
        if self.yes:
            return
        if not self.interactive:
            raise UsageError(
                f"{question} Nobody is there to answer.", hint="Add --yes to go on without being asked."
            )
        with answering():
            agreed = typer.confirm(question, err=True)
        if not agreed:
            raise UsageError("Nothing was done: the answer was no.")

    def ask(self, question: str, *, hint: str, hidden: bool = False, if_empty: str | None = None) -> str:
        """Ask for a line of text, which is not shown while it is typed if `hidden`.

        It may be empty only where `if_empty` says what that means. Where nobody can answer it raises `UsageError`;
        `hint` says how to give the answer there.
        """
        if not self.interactive:
            raise UsageError(f"{question} is needed and nobody is there to type it.", hint=hint)
        prompt = visible(f"{question} ({if_empty})" if if_empty else question)
        default = None if if_empty is None else ""
        with answering():
            return str(typer.prompt(prompt, default=default, show_default=False, hide_input=hidden, err=True))

    def ask_amount(self, question: str, *, hint: str) -> float:
        """As `ask`, for a number above 0, with a point or a comma; asks again until it is one."""
        while True:
            answer = self.ask(question, hint=hint).replace(",", ".")
            try:
                amount = float(answer)
            except ValueError:
                amount = 0.0
            if 0 < amount < float("inf"):
                return amount
            self.message("It must be a number above 0.")

    @contextmanager
    def waiting(self, words: str) -> Iterator[None]:
        """Show at the foot that something goes on, while the block runs; silent where `progress` is."""
        from rich.spinner import Spinner

        spinner = Spinner("dots", words)
        with self._live_lines(lambda: spinner):
            yield

    @contextmanager
    def progress(self, words: str) -> Iterator[ProgressBar]:
        """Show a progress bar on standard error while the block runs; silent with ``--quiet`` or without a terminal."""
        with self.progress_lines([words]) as bars:
            yield bars[words]

    @contextmanager
    def progress_lines(self, names: Sequence[str]) -> Iterator[Mapping[str, ProgressBar]]:
        """As `progress`, a bar for each name, one below the other; they may be moved by different threads."""
        from dispctl.cli.bars import Bars

        bars = Bars(self.err)
        lines = {name: bars.add(name) for name in names}
        with self._live_lines(bars.render):
            yield lines

    @contextmanager
    def _live_lines(self, render: Callable[[], RenderableType]) -> Iterator[None]:
        if self._shows_no_progress:
            yield
            return
        from dispctl.cli.foot import LiveLines
        from dispctl.cli.keyboard import unechoed

        with unechoed(), LiveLines(self.err, render) as lines:
            self._live = lines
            try:
                yield
            finally:
                self._live = None

    @contextmanager
    def _above(self) -> Iterator[None]:
        """What is printed in the block comes above the lines at the foot."""
        if self._live is None:
            yield
            return
        with self._live.aside():
            yield


_active: Console | None = None


@contextmanager
def answering() -> Iterator[None]:
    """Ctrl-C at a question ends the command as Ctrl-C does anywhere else."""
    try:
        yield
    except typer.Abort:
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _rich_console(stream: Any, record_width: int | None = None) -> RichConsole:
    from rich.console import Console as RichConsole

    # Markup, emoji codes and highlighting are off: names of networks, recipes and boards are shown as they are.
    return RichConsole(
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        record=record_width is not None,
        width=record_width,
    )


def _print(console: RichConsole, view: RenderableType) -> None:
    """Tables keep to the terminal's width; sentences are left to the terminal, so that they can be copied whole.

    What sentences quote, the name of a network say, comes from outside and must not act on the terminal.
    """
    from rich.text import Text

    if isinstance(view, str):
        view = visible(view)
    console.print(view, soft_wrap=isinstance(view, (str, Text)))


def failure_object(error: DispctlError) -> Mapping[str, Any]:
    """The JSON form of a failure: ``{"error": {"code", "message", "hint"}}``."""
    return {"error": {"code": int(error.exit_code), "message": error.message, "hint": error.hint}}


def show_failure(error: DispctlError, *, json: bool = False) -> None:
    """One sentence of fact, one of what to do next, on standard error; with `json` or ``--json`` the object as well."""
    shown = _active or Console(json=json)
    shown.err.print(visible(f"Error: {error.message}"), style="bold red", soft_wrap=True)
    if error.hint:
        shown.err.print(visible(f"  {error.hint}"), soft_wrap=True)
    if shown.json:
        tell_failure(error)


def tell_failure(error: DispctlError) -> None:
    """The failure's JSON object alone, on standard output; where that cannot be written, the failure stays what it is."""
    with suppress(DispctlError, SystemExit):
        write_json_line(failure_object(error))


def write_json_line(data: Any) -> None:
    """Write one JSON object a line, flushed, so that a pipe sees it at once."""
    sys.stdout.write(json_module.dumps(data, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()
