"""`dispctl inspect-flash`: what a board has saved of a job, and clearing it."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli.options import Json, Port, Quiet, Verbose, Yes

if TYPE_CHECKING:
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
    json: Json = False,
    yes: Yes = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show the job saved on a board: items, what was poured, the log, and what the board does when it next starts."""
    from dispctl.adapters.backups import default_backups
    from dispctl.cli.console import Console
    from dispctl.errors import ExitCode
    from dispctl.operations.inspect_flash import Request, inspect_flash

    console = Console(json=json, yes=yes, quiet=quiet, verbose=verbose)
    view = _View(console)
    request = Request(port=port, via=via.value, image=image, raw=raw, clear=clear)
    for event in inspect_flash(request, default_backups()):
        view.show(event)
    view.finish()
    if view.is_damaged:
        raise typer.Exit(ExitCode.DAMAGED)


class _View:
    """Shows events as they come; with ``--json`` one object at the end."""

    def __init__(self, console: "Console") -> None:
        self.is_damaged = False
        self._console = console
        self._summary: dict[str, Any] = {}

    def show(self, event: "Event") -> None:
        """Tell of one event."""
        from dispctl.operations import inspect_flash as operation

        console = self._console
        if isinstance(event, operation.TriedInVain):
            console.message(f"{event.reason} (asked by way of {event.via}; trying another way)")
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
        if event.job_id is not None:
            self._console.message(
                f"The backend will hand job {event.job_id} out again unless it is cancelled there: "
                f"dispctl job cancel {event.job_id}"
            )
        self._console.confirm("Remove the job from the board?")


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
