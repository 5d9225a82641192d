"""`dispctl inspect-flash`: what a board has saved of a job, and clearing it."""

from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Port, Quiet, Verbose, Yes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dispctl.cli.console import Console
    from dispctl.operations.inspect_flash import AboutToClear, Event


class Via(str, Enum):
    """The ways to a board's saved job."""

    AUTO = "auto"
    CONTROL = "control"
    REPL = "repl"
    ROM = "rom"


def inspect_flash(
    *,
    port: Port = "auto",
    via: Annotated[
        Via,
        typer.Option(
            help="control: ask the running firmware, nothing stops. repl: through MicroPython's prompt. rom: through the "
            "bootloader, for a board that does not start. auto: the first of these that works."
        ),
    ] = Via.AUTO,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Look into a dump of a flash instead of at a board.")
    ] = None,
    raw: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also put the job's files there, as they are.")
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Remove the job from the board. Saves it here first, and asks.")
    ] = False,
    cancel: Annotated[
        bool,
        typer.Option(
            "--cancel",
            help="With --clear: also cancel the job in the backend, which would hand it out again.",
        ),
    ] = False,
    restore: Annotated[
        Path | None,
        typer.Option(metavar="BACKUP", help="Put the job of a backup back onto the board. Asks."),
    ] = None,
    baud: Annotated[
        int | None,
        typer.Option(
            "--baud",
            "-b",
            min=9600,
            help="Bits a second in the bootloader; default: 921600, and slower where that does not work.",
        ),
    ] = None,
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    yes: Yes = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show the job saved on a board: items, what was poured, the log, and what the board does when it next starts."""
    from dispctl.adapters.backups import default_backups
    from dispctl.cli.console import Console
    from dispctl.errors import ExitCode, UsageError
    from dispctl.operations.choose_boards import choose_boards
    from dispctl.operations.inspect_flash import Request, inspect_flash

    console = Console(json=json, yes=yes, quiet=quiet, verbose=verbose)
    if cancel and not clear:
        raise UsageError("--cancel goes with --clear.", hint="To cancel alone: dispctl job cancel.")
    view = _View(console, cancels=cancel)
    board = choose_boards([port])[0]
    with _canceller(backend, wanted=cancel) as canceller:
        request = Request(
            port=board.port, via=via.value, image=image, raw=raw, clear=clear, cancel=canceller, restore=restore,
            expected_mac=board.expected_mac, baud=baud,
        )  # fmt: skip
        for event in inspect_flash(request, default_backups()):
            view.show(event)
    view.finish()
    if view.is_damaged:
        raise typer.Exit(ExitCode.DAMAGED)


@contextmanager
def _canceller(backend: str, *, wanted: bool) -> "Iterator[Callable[[int], bool] | None]":
    """Cancels jobs with the session that is kept; who is not logged in learns it before the board is touched."""
    if not wanted:
        yield None
        return
    from dispctl.operations.backend_session import open_backend, open_journal
    from dispctl.operations.job import cancel_if_active

    with open_backend(backend) as client:
        journal = open_journal(backend)
        yield lambda job_id: cancel_if_active(client, journal, job_id)


class _View:
    """Shows events as they come; with ``--json`` one object at the end."""

    def __init__(self, console: "Console", *, cancels: bool) -> None:
        self.is_damaged = False
        self._cancels = cancels
        self._console = console
        self._summary: dict[str, Any] = {}

    def show(self, event: "Event") -> None:
        """Tell of one event."""
        from dispctl.operations import inspect_flash as operation
        from dispctl.operations.restore_job import AboutToRestore, Restored

        console = self._console
        if isinstance(event, operation.TriedInVain):
            how = f"at {event.slower} baud" if event.slower else "another way"
            console.message(f"{event.reason} (asked by way of {event.via}; trying {how})")
        elif isinstance(event, operation.Inspected):
            self._summary = {"via": event.via, **event.view}
            self.is_damaged = event.is_damaged
            if not console.json:
                show_view(console, event.via, event.view)
        elif isinstance(event, operation.Dumped):
            self._summary["raw"] = str(event.folder)
            console.message(f"Put into {event.folder}: {', '.join(event.names) or 'nothing, there is none'}.")
        elif isinstance(event, operation.AboutToClear):
            self._ask(event)
        elif isinstance(event, AboutToRestore | Restored):
            self._show_restoring(event)
        elif isinstance(event, operation.Cancelled):
            self._summary["cancelled"] = not event.was_over
            words = "had ended in the backend already" if event.was_over else "is cancelled in the backend"
            console.message(f"Job {event.job_id} {words}.")
        elif isinstance(event, operation.Cleared):
            self._summary["cleared"] = True
            console.message("The board holds no job now.")
        else:
            console.message("The board's program was stopped to look; it was restarted.")

    def finish(self) -> None:
        """Print the object that ``--json`` asks for."""
        if self._console.json:
            self._console.json_line(self._summary)

    def _ask(self, event: "AboutToClear") -> None:
        self._summary["backup"] = str(event.backup)
        self._console.message(f"Saved in {event.backup}.")
        if event.job_id is not None and not self._cancels:
            self._console.message(
                f"The backend will hand job {event.job_id} out again unless it is cancelled there: "
                f"dispctl job cancel {event.job_id}"
            )
        self._console.confirm("Remove the job from the board?")

    def _show_restoring(self, event: Any) -> None:
        from dispctl.operations.restore_job import Restored

        if isinstance(event, Restored):
            self._summary["restored"] = event.job_id
            self._console.message(f"The board holds job {event.job_id} again.")
            return
        if event.backup is not None:
            self._summary["backup"] = str(event.backup)
            self._console.message(f"What the board holds now is saved in {event.backup}.")
        self._console.confirm(f"Put job {event.job_id} back onto the board?")


def show_view(console: "Console", via: str, view: dict[str, Any]) -> None:
    """The phase-2 view of a saved job as tables."""
    from rich.text import Text

    views: list[Any] = [Text(_headline(view), style="bold")]
    if view["job_id"] is not None:
        views += [_item_table(view), _next_step(view)]
    if view["log"]:
        views += ["", _log_table(view["log"])]
    if view["rejected"]:
        views += ["", *_rejected(view["rejected"])]
    if view["finished"]:
        views.append(f"Finished before: {', '.join(f'job {number}' for number in view['finished'])}.")
    views += [Text(_finding(finding), style="yellow") for finding in view["findings"]]
    console.result(view, *views)
    console.detail(f"Read by way of {via}; files: {view['files']}.")


def _headline(view: dict[str, Any]) -> str:
    if view["job_id"] is None:
        return (
            "No job is saved on the board."
            if view["filesystem"] != "blank"
            else "The board's flash is blank."
        )
    return f"Job {view['job_id']}: {view['done']} of {view['total']} items done, {view['failed']} failed."


def _item_table(view: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("item", "jar", "spice", "grams", "asked", "poured", "state", box=None, pad_edge=False)
    styles = {"done": "green", "failed": "red", "running": "cyan"}
    for number, item in enumerate(view["items"], start=1):
        words = f"{item['state']}: {item['error']}" if item["error"] else item["state"]
        table.add_row(
            str(number), str(item["frasco"]), item["tempero"], f"{item['quantidade_g']:g}",
            _seconds(item["asked_ms"]), _seconds(item["poured_ms"]), words, style=styles.get(item["state"], ""),
        )  # fmt: skip
    return table


def _next_step(view: dict[str, Any]) -> str:
    number = view["next_item"]
    if view["next"] == "report":
        return "At its next start the board reports the job; nothing is left to pour."
    item = view["items"][number - 1]
    left = _seconds(max(0, item["asked_ms"] - item["poured_ms"]))
    if view["next"] == "wait":
        return (
            f"At its next start the board waits for a word: item {number} was interrupted with {left} left."
        )
    return (
        f"At its next start the board goes on with item {number}/{view['total']} ({left} left), then reports."
    )


def _log_table(log: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table("log: jar", "spice", "grams", "asked", "real", "status", box=None, pad_edge=False)
    for entry in log:
        words = f"{entry['status']}: {entry['error']}" if entry["error"] else entry["status"]
        table.add_row(
            str(entry["frasco"]), entry["tempero"], f"{entry['quantidade_g']:g}",
            f"{entry['segundos']:.3f} s", f"{entry['real_s']:.3f} s", words,
        )  # fmt: skip
    return table


def _rejected(rejected: dict[str, Any]) -> list[Any]:
    verdict = rejected["rejected"]
    words = f"HTTP {verdict['status']}: {verdict['reason']}" if verdict["status"] else "no reason is saved"
    return [
        f"The report of job {rejected['job_id']} was refused for good ({words}); its results:",
        _log_table(rejected["log"]),
    ]


def _finding(finding: dict[str, Any]) -> str:
    salvaged = " (used in part)" if finding["salvaged"] else ""
    return f"{finding['file']} {finding['finding']}{salvaged}." if finding["file"] else finding["finding"]


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f} s"
