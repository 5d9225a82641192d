"""`dispctl flash`: boards in any state, brought to the running firmware."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli.options import PORT_ENVIRONMENT, Json, Quiet, Verbose, Yes, complete_port

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from dispctl.cli.console import Console
    from dispctl.operations.choose_boards import ChosenBoard

    Operation = Callable[[ChosenBoard, Callable[[float, str], None]], Generator[Any, None, None]]

Ports = Annotated[
    list[str],
    typer.Option(
        "--port", "-p", envvar=PORT_ENVIRONMENT, metavar="PORT", show_default=False, autocompletion=complete_port,
        help="Where the board is: a path, rfc2217://HOST:PORT, socket://HOST:PORT, sim: (the virtual board), an alias, "
        "or auto, which is the default. Repeat it for several boards, which are then flashed at once.",
    ),
]  # fmt: skip
EveryBoard = Annotated[bool, typer.Option("--all", help="Every board that is connected, all at once.")]
Image = Annotated[
    str | None,
    typer.Option(
        "--micropython",
        metavar="FILE|VERSION",
        help="The MicroPython to write: an image from micropython.org's ESP32_GENERIC page, or from dispctl sim image FILE "
        "for the virtual board; or a version, which is fetched once and kept. Without it the MicroPython on the board "
        "stays, and a board without gets v1.26.1.",
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Never fetch: take a version from the cache.")]
AppOnly = Annotated[
    bool,
    typer.Option("--app-only", help="Bring only the firmware package up to date, on a board that runs."),
]
ExpectMac = Annotated[str | None, typer.Option(metavar="MAC", help="Refuse every other board than this one.")]
Baud = Annotated[
    int | None,
    typer.Option(
        "--baud", "-b", min=9600, help="Bits a second; default: 921600, and slower where that does not work."
    ),
]
Erase = Annotated[
    bool, typer.Option("--erase", help="Drop what the board holds: settings, job, files. Asks.")
]
Source = Annotated[
    bool,
    typer.Option(
        "--source",
        help="Put the firmware on the board as sources, to be edited there; without it as bytecode, which starts faster.",
    ),
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
    port: Ports = [],  # noqa: B006 - Typer's way to say that an option may be repeated
    every: EveryBoard = False,
    micropython: Image = None,
    offline: Offline = False,
    app_only: AppOnly = False,
    erase: Erase = False,
    source: Source = False,
    wait: Wait = False,
    force: Force = False,
    expect_mac: ExpectMac = None,
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
    from dispctl.cli.console import Console
    from dispctl.cli.flash_view import show_boards
    from dispctl.errors import UsageError
    from dispctl.operations.choose_boards import choose_boards

    console = Console(json=json, yes=yes, quiet=quiet, verbose=verbose)
    if app_only and (micropython or erase or baud):
        raise UsageError(
            "--app-only changes nothing but the firmware package, through the running MicroPython."
        )
    boards = choose_boards(port, every=every, expected_mac=expect_mac)
    options = {"as_source": source, "wait": wait, "force": force, "boot_timeout_s": boot_timeout}
    if app_only:
        operation = _updating(**options)
    else:
        operation = _flashing(console, micropython, baud, offline=offline, options=options | {"erase": erase})
    show_boards(console, boards, operation)


def _updating(**options: Any) -> "Operation":
    from dispctl.operations.update_firmware import Request, update_firmware

    return lambda board, on_progress: update_firmware(
        Request(port=board.port, expected_mac=board.expected_mac, on_progress=on_progress, **options)
    )


def _flashing(
    console: "Console", micropython: str | None, baud: int | None, *, offline: bool, options: dict[str, Any]
) -> "Operation":
    from dispctl.adapters.backups import default_backups
    from dispctl.adapters.micropython_releases import TESTED_VERSION
    from dispctl.adapters.rom import BAUD_LADDER
    from dispctl.operations.flash import Request, flash

    image = _image_file(console, micropython, offline=offline) if micropython else None
    bauds = (baud,) if baud else BAUD_LADDER
    backups = default_backups()
    return lambda board, on_progress: flash(
        Request(
            port=board.port, image=image, fallback=lambda: _image_file(console, TESTED_VERSION, offline=offline),
            expected_mac=board.expected_mac, bauds=bauds, on_progress=on_progress, **options,
        ),
        backups,
    )  # fmt: skip


def _image_file(console: "Console", micropython: str, *, offline: bool) -> Path:
    """The file that is meant, or that holds the version that is meant."""
    from dispctl.adapters.micropython_releases import is_version, user_releases

    if not is_version(micropython) or Path(micropython).exists():
        return Path(micropython)
    with console.progress(f"Fetching MicroPython {micropython}") as bar:
        return user_releases().image(
            micropython, offline=offline, on_progress=lambda part: bar.update(part, 1.0)
        )
