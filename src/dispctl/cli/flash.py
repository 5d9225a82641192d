"""`dispctl flash`: a board in any state, brought to the running firmware."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli.options import Json, Port, Quiet, Verbose, Yes

if TYPE_CHECKING:
    from dispctl.cli.console import Console, ProgressBar
    from dispctl.operations.flash import Event

Image = Annotated[
    Path | None,
    typer.Option(
        "--micropython",
        metavar="FILE",
        help="The MicroPython image to write, from micropython.org's ESP32_GENERIC page, or for the virtual board from "
        "dispctl sim image FILE. Without it the MicroPython on the board stays.",
    ),
]
Baud = Annotated[
    int | None,
    typer.Option(
        "--baud", "-b", min=9600, help="Bits a second; default: 921600, and slower where that does not work."
    ),
]
Erase = Annotated[
    bool, typer.Option("--erase", help="Drop what the board holds: settings, job, files. Asks.")
]
Wait = Annotated[bool, typer.Option("--wait", help="While a jar is being poured, wait for the end.")]
Force = Annotated[bool, typer.Option("--force", help="Do not ask whether a jar is being poured.")]
BootTimeout = Annotated[
    float,
    typer.Option(
        "--boot-timeout", min=1.0, metavar="SECONDS", help="How long the firmware may take to start."
    ),
]


def flash(
    *,
    port: Port = "auto",
    micropython: Image = None,
    erase: Erase = False,
    wait: Wait = False,
    force: Force = False,
    baud: Baud = None,
    boot_timeout: BootTimeout = 30.0,
    json: Json = False,
    yes: Yes = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Write MicroPython and the firmware; settings, a saved job and files that are not ours stay on the board.

    Done means running: it ends when the firmware has started. Whenever it is cut, the same command brings the board to
    the end.
    """
    from dispctl.adapters.backups import default_backups
    from dispctl.adapters.rom import BAUD_LADDER
    from dispctl.cli.console import Console
    from dispctl.operations.flash import Request, flash

    console = Console(json=json, yes=yes, quiet=quiet, verbose=verbose)
    with ExitStack() as bars:
        view = _View(console, bars, port)
        request = Request(
            port=port, image=micropython, erase=erase, wait=wait, force=force,
            bauds=(baud,) if baud else BAUD_LADDER, boot_timeout_s=boot_timeout, on_progress=view.progress,
        )  # fmt: skip
        for event in flash(request, default_backups()):
            view.show(event)
    console.result(view.summary, view.last_words)


class _View:
    """Shows events as they come and gathers what ``--json`` tells at the end."""

    def __init__(self, console: "Console", bars: ExitStack, port: str) -> None:
        self.summary: dict[str, Any] = {"port": port}
        self.last_words = ""
        self._console = console
        self._bars = bars
        self._bar: ProgressBar | None = None

    def progress(self, part: float, words: str) -> None:
        """Move the bar, which appears with the first call, so that no question is asked under it."""
        if self._bar is None:
            self._bar = self._bars.enter_context(self._console.progress(words))
        self._bar.update(part, 1.0, words)

    def show(self, event: "Event") -> None:
        """Tell of one event."""
        from dispctl.operations import flash as operation
        from dispctl.operations.busy import Waited

        console = self._console
        if isinstance(event, Waited):
            console.message(f"A jar is being poured (item {event.item}/{event.total}): waiting for the end.")
        elif isinstance(event, operation.Connected):
            self.summary |= {"mac": event.mac, "flash_size": event.flash_size, "baud": event.baud}
            console.message(
                f"Connected to {event.mac}, {event.flash_size // 2**20} MiB of flash, at {event.baud} baud."
            )
        elif isinstance(event, operation.SlowedDown):
            self._close_bar()
            console.warning(f"{event.reason} Going on at {event.baud} baud.")
        elif isinstance(event, operation.Dropping):
            self._ask(event)
        elif isinstance(event, operation.Kept):
            self._show_kept(event)
        elif isinstance(event, operation.Written):
            self._close_bar()
            self.summary |= {"micropython": event.micropython, "files": event.files}
            console.detail(
                f"MicroPython {event.micropython} {'was there already' if event.was_there else 'written'}."
            )
        elif isinstance(event, operation.Verified):
            console.detail(
                f"Verified; {event.kept} kept files byte by byte. Waiting for the firmware to start."
            )
        else:
            self.summary |= {"firmware": event.version, "uid": event.uid}
            self.last_words = f"The board runs dispctl firmware {event.version}."

    def _ask(self, event: Any) -> None:
        where = f" They are saved in {event.backup}." if event.backup else ""
        self._console.message(f"This drops from the board: {', '.join(event.what)}.{where}")
        self._console.confirm("Drop it?")

    def _show_kept(self, event: Any) -> None:
        self.summary |= {"kept": list(event.paths), "backup": event.backup and str(event.backup)}
        if event.resumed:
            self._console.message("An earlier run was cut: the board's files are taken from its backup.")
        if event.paths:
            self._console.message(f"Kept: {', '.join(event.paths)} (saved in {event.backup}).")

    def _close_bar(self) -> None:
        self._bars.close()
        self._bar = None
