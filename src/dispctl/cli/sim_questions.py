"""``dispctl sim`` and a board that runs: finding it, asking it what it did, ending it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import Json
from dispctl.errors import BoardNotFoundError, BoardRefusedError, UsageError

if TYPE_CHECKING:
    from dispctl.virtual.registry import Entry

app = typer.Typer()

Name = Annotated[
    str | None,
    typer.Option("--name", envvar="DISPCTL_SIM_NAME", help="Which board; needed when several are running."),
]


@app.command()
def status(name: Name = None, json: Json = False) -> None:
    """Show what the board is doing."""
    entry = _find(name)
    where = {"name": entry.name, "cable": entry.cable, "pty": entry.pty, "mac": entry.mac}
    report = {**where, **_request(entry, "status")}
    Console(json=json).result(report, *_status_lines(report))


@app.command()
def doses(
    clear: Annotated[bool, typer.Option("--clear", help="Forget them after showing them.")] = False,
    name: Name = None,
    json: Json = False,
) -> None:
    """Show when each jar was open: the ground truth, in board time."""
    report = _request(_find(name), "doses", clear=clear)
    Console(json=json).result(report, _doses_table(report))


@app.command()
def stop(name: Name = None, json: Json = False) -> None:
    """End the board's process."""
    import time

    from dispctl.adapters.port import simulator_directory
    from dispctl.virtual.registry import running

    entry = _find(name)
    _request(entry, "stop")
    deadline = time.monotonic() + 5
    while entry in running(simulator_directory()) and time.monotonic() < deadline:
        time.sleep(0.02)
    Console(json=json).result({"stopped": entry.name}, f"stopped: {entry.name}")


def tell(name: str | None, json: bool, op: str, **fields: Any) -> None:
    """Have the board called `name` (None: the only one) do `op`, and show that it did."""
    answer = _request(_find(name), op, **fields)
    Console(json=json).result({"ok": True, **answer})


def _request(entry: "Entry", op: str, **fields: Any) -> dict[str, Any]:
    from dispctl.virtual.control_client import ControlRefusedError, ControlUnreachableError, ask

    try:
        return ask(entry.control, op, **fields)
    except ControlRefusedError as error:
        raise BoardRefusedError(str(error)) from error
    except ControlUnreachableError as error:
        raise BoardNotFoundError(
            f"The virtual board {entry.name} does not answer.",
            hint=f"Start it again: dispctl sim run --name {entry.name}",
        ) from error


def _find(name: str | None) -> "Entry":
    from dispctl.adapters.port import simulator_directory
    from dispctl.virtual.registry import running

    boards = [entry for entry in running(simulator_directory()) if name in (None, entry.name)]
    if not boards:
        which = "virtual board" if name is None else f"virtual board {name}"
        raise BoardNotFoundError(f"No {which} is running.", hint="Start one: dispctl sim run")
    if len(boards) > 1:
        names = ", ".join(entry.name for entry in boards)
        raise UsageError(f"Several virtual boards are running: {names}.", hint="Say which with --name.")
    return boards[0]


def _doses_table(report: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("jar", "now", "open in all", "openings", "closed by")
    for jar in report["jars"]:
        causes = ", ".join(opening["cause"] or "-" for opening in jar["openings"])
        state = "open" if jar["open"] else "closed"
        stuck = ", stuck" if jar["stuck"] else ""
        total = f"{jar['total_ms'] / 1000:.3f} s"
        table.add_row(str(jar["jar"]), state + stuck, total, str(len(jar["openings"])), causes)
    return table


def _status_lines(report: dict[str, Any]) -> list[str]:
    wifi = report["wifi"]
    flash = report["flash"]
    air = "on the air" if wifi["on_air"] else "off"
    addresses = "" if wifi["dhcp"] else ", no addresses"
    cable = report["cable"] if report["pty"] is None else f"{report['cable']} and {report['pty']}"
    noise = f", {report['noise']:.2%} of the bytes disturbed" if report["noise"] else ""
    return [
        f"{report['name']}: {report['state']}, {report['now_ms'] / 1000:.1f} s of board time at speed {report['speed']:g}",
        f"cable: {cable if report['plugged'] else 'unplugged'}{noise}",
        f"wifi: {air}{addresses}, {'joined' if wifi['joined'] else 'not joined'}; MAC {report['mac']}",
        f"flash: {flash['file']}, {flash['erases']} erases, {flash['programmed_bytes']} bytes programmed",
    ]
