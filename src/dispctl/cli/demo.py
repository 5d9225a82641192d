"""The command `demo`: the whole story on this machine, and the proof at its end."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli import options
from dispctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dispctl.cli.console import Console
    from dispctl.operations.demo_events import DemoEvent, Proved

PICTURE_WIDTH = 110
SENTENCES = {
    "Told": "{event.sentence}",
    "Written": "MicroPython {event.micropython} and {event.files} files are on its flash.",
    "Started": "The board says that it runs firmware {event.version}.",
    "NetworkJoined": "The board is in the network '{event.ssid}'.",
    "BackendReached": "It reaches the backend at {event.url}.",
    "SeenOnline": "The backend sees {event.uid} online.",
}
"""What is told of an event, by its name: the operations' own modules are loaded only when the story begins."""


def demo(
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Save what was shown as a picture as well.")
    ] = None,
    pause: Annotated[
        bool,
        typer.Option("--pause", help="Wait for Enter before each stage, to look around with other commands."),
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Have the backend use this database (postgresql+psycopg://…); its data stay there.",
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Pour a four-jar job on this machine, cut the power in the third jar, and prove that nothing was lost.

    Starts a backend and a blank virtual board, flashes and provisions the board with the real tools, sends a job, pulls
    the plug, and compares job, report, stock and what was really poured. Needs no hardware and leaves nothing behind. Ends
    with 0 only if every number agrees, else with 6. While it runs, --port sim: is its board: with --pause there is time
    to look, for example with inspect-flash before stage 6.
    """
    from tempfile import TemporaryDirectory

    from dispctl.cli.console import Console
    from dispctl.operations import demo as operation

    console = Console(json=json, quiet=quiet, record_width=PICTURE_WIDTH if picture else None)
    if pause and not console.interactive:
        raise UsageError(
            "--pause waits for Enter, and nobody is there to press it.", hint="Leave --pause out."
        )
    view = _View(console, pause=pause)
    with TemporaryDirectory(prefix="dispctl-demo-") as folder:
        for event in operation.demo(Path(folder), database):
            view.show(event)
    if picture:
        picture.write_text(console.picture("dispctl demo"), encoding="utf-8")
    if not view.agrees:
        raise typer.Exit(ExitCode.DAMAGED)


class _View:
    """Tells the story as it happens; with ``--json`` only the proof is told, as one object."""

    def __init__(self, console: "Console", *, pause: bool) -> None:
        from dispctl.cli.log_view import LogView

        self.agrees = False
        self._pause = pause
        self._console = console
        self._log = LogView(console.out)

    def show(self, event: "DemoEvent") -> None:
        """Tell of one event."""
        from dispctl.operations.demo_events import Proved
        from dispctl.operations.monitor import LineSeen

        if isinstance(event, Proved):
            self._show_proof(event)
        elif self._console.json or self._console.quiet:
            return
        elif isinstance(event, LineSeen):
            self._log.show(event)
        else:
            self._show_step(event)

    def _show_step(self, event: "DemoEvent") -> None:
        from rich.rule import Rule
        from rich.text import Text

        from dispctl.cli.inspect_flash import show_view
        from dispctl.operations.demo_events import StageBegun
        from dispctl.operations.inspect_flash import Inspected

        if isinstance(event, StageBegun):
            if self._pause and event.can_wait:
                self._console.ask("Enter goes on", hint="Leave out --pause.", if_empty="")
            self._console.out.print()
            self._console.out.print(Rule(f"{event.number}. {event.title}", align="left"))
            if event.command:
                self._console.out.print(Text(f"$ {event.command}", style="dim"))
        elif isinstance(event, Inspected):
            self._console.out.print(Text("$ dispctl inspect-flash", style="dim"))
            show_view(self._console, event.via, event.view)
        elif sentence := _sentence(event):
            self._console.out.print(sentence, soft_wrap=True)

    def _show_proof(self, proof: "Proved") -> None:
        self.agrees = proof.agrees
        rows = [
            {"what": c.what, "expected": c.expected, "found": c.found, "agrees": c.agrees}
            for c in proof.comparisons
        ]
        data = {"agrees": proof.agrees, "seconds": round(proof.seconds, 1), "comparisons": rows}
        self._console.result(data, "", _proof_table(proof), _verdict(proof))


def _sentence(event: "DemoEvent") -> str | None:
    template = SENTENCES.get(type(event).__name__)
    return template.format(event=event) if template else None


def _proof_table(proof: "Proved") -> Any:
    from rich.table import Table

    table = Table("the proof", "expected", "found", "", box=None, pad_edge=False, header_style="bold")
    for line in proof.comparisons:
        mark, style = ("✓", "green") if line.agrees else ("✗ differs", "bold red")
        table.add_row(line.what, line.expected, line.found, mark, style=style)
    return table


def _verdict(proof: "Proved") -> Any:
    from rich.text import Text

    differing = [line.what for line in proof.comparisons if not line.agrees]
    if not differing:
        return Text(
            f"Every number agrees. {proof.seconds:.0f} s, and nothing was left behind.", style="bold green"
        )
    return Text(f"These differ: {', '.join(differing)}.", style="bold red")
