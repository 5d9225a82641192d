"""``dispctl sim``: the virtual board, and the faults it can be given while it runs."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import Json
from dispctl.errors import BoardNotFoundError, BoardRefusedError, DamagedError, PortBusyError, UsageError

if TYPE_CHECKING:
    from dispctl.virtual.registry import Entry

app = typer.Typer(
    no_args_is_help=True, help="An ESP32 without hardware: run it, cut its power, ask it what was poured."
)

Name = Annotated[
    str | None,
    typer.Option("--name", envvar="DISPCTL_SIM_NAME", help="Which board; needed when several are running."),
]


class Switch(str, Enum):
    """On or off."""

    on = "on"
    off = "off"


class PowerAction(str, Enum):
    """What to do with the power."""

    on = "on"
    off = "off"
    cycle = "cycle"
    cut_at = "cut-at"


class ResetCause(str, Enum):
    """What resets the board: its EN pin, its watchdog, or a panic."""

    en = "en"
    wdt = "wdt"
    panic = "panic"


@app.command()
def run(
    *,
    name: Annotated[str, typer.Option(help="What the board is called in sim:NAME.")] = "board",
    rfc2217_port: Annotated[int, typer.Option(help="TCP port of the cable; 0 takes any free one.")] = 2217,
    flash: Annotated[
        Path | None, typer.Option(help="The flash file, made blank if missing. [default: kept by name]")
    ] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="Board time over real time.")] = 1.0,
    pacing: Annotated[
        bool, typer.Option("--pacing/--no-pacing", help="Pass bytes at the line's speed.")
    ] = True,
    network: Annotated[
        list[str] | None,
        typer.Option(metavar="SSID:PASSWORD", help="A Wi-Fi network in reach. [default: Cozinha:tempero123]"),
    ] = None,
    power: Annotated[bool, typer.Option("--power/--no-power", help="Start with the power on.")] = True,
    mac: Annotated[
        str, typer.Option(metavar="MAC", help="The chip's MAC, by which boards are told apart.")
    ] = "24:6f:28:d1:5c:01",
    json: Json = False,
) -> None:
    """Run a virtual board until Ctrl-C or `sim stop`."""
    from dispctl.adapters.port import simulator_directory
    from dispctl.virtual import flash as flash_chip
    from dispctl.virtual import processor, serve

    console = Console(json=json)
    settings = serve.Settings(
        name=_checked_name(name),
        flash=flash or _flash_of(name),
        registry=simulator_directory(),
        rfc2217_port=rfc2217_port,
        speed=speed,
        pacing=pacing,
        networks=_networks(network),
        power=power,
        mac=_mac_bytes(mac),
    )
    _refuse_second(name)
    try:
        serve.serve(settings, lambda entry: _announce(console, entry))
    except processor.InterpreterMissingError as error:
        raise UsageError(str(error), hint="Install it: pip install 'dispctl[sim]'") from error
    except serve.PortTakenError as error:
        raise PortBusyError(
            str(error), hint="Choose another with --rfc2217-port, or 0 for any free one."
        ) from error
    except flash_chip.FlashFileError as error:
        raise DamagedError(
            str(error), hint="Give another file with --flash; a missing one is made blank."
        ) from error
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be used: {error.strerror}.", hint="Give another --flash."
        ) from error


@app.command()
def image(
    file: Annotated[Path, typer.Argument(help="Where to write it.", metavar="FILE")],
    vfs_entry: Annotated[
        bool, typer.Option("--vfs-entry", help="List the filesystem in the partition table, as up to v1.25.")
    ] = False,
    json: Json = False,
) -> None:
    """Write a small ESP32 image that stands for MicroPython on the virtual board; a real board has no use for it."""
    from dispctl.virtual.esp_image import IMAGE_OFFSET, build_image

    data = build_image(vfs_entry=vfs_entry)
    try:
        file.write_bytes(data)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}.", hint="Choose another file."
        ) from error
    report = {"file": str(file), "offset": IMAGE_OFFSET, "bytes": len(data)}
    Console(json=json).result(report, f"{file}: {len(data)} bytes, to be written at {IMAGE_OFFSET:#x}")


@app.command()
def wifi(state: Switch, name: Name = None, json: Json = False) -> None:
    """Switch the Wi-Fi around the board on or off."""
    _ask(name, json, "wifi", on=state is Switch.on)


@app.command()
def reset(
    cause: Annotated[ResetCause, typer.Option(help="What resets it.")] = ResetCause.en,
    name: Name = None,
    json: Json = False,
) -> None:
    """Reset the board."""
    _ask(name, json, "reset", cause=cause.value)


@app.command()
def power(
    action: PowerAction,
    operation: Annotated[
        int | None, typer.Argument(min=1, help="cut-at: the flash operation from now, 1 the next.")
    ] = None,
    *,
    torn: Annotated[bool, typer.Option("--torn", help="cut-at: leave that operation half done.")] = False,
    seed: Annotated[int, typer.Option(help="cut-at: which half of it is done with --torn.")] = 0,
    name: Name = None,
    json: Json = False,
) -> None:
    """Switch the power, or have it cut at a flash operation."""
    if (action is PowerAction.cut_at) != (operation is not None):
        raise UsageError("cut-at needs the number of a flash operation, and nothing else takes one.")
    if action is PowerAction.cut_at:
        _ask(name, json, "cut_at", operations=operation, torn=torn, seed=seed)
    else:
        _ask(name, json, "power", action=action.value)


@app.command()
def doses(
    clear: Annotated[bool, typer.Option("--clear", help="Forget them after showing them.")] = False,
    name: Name = None,
    json: Json = False,
) -> None:
    """Show when each jar was open: the ground truth, in board time."""
    report = _request(name, "doses", clear=clear)
    Console(json=json).result(report, _doses_table(report))


@app.command()
def status(name: Name = None, json: Json = False) -> None:
    """Show what the board is doing."""
    entry = _find(name)
    report = {"name": entry.name, "cable": entry.cable, **_request_of(entry, "status")}
    Console(json=json).result(report, *_status_lines(report))


@app.command()
def stop(name: Name = None, json: Json = False) -> None:
    """End the board's process."""
    import time

    from dispctl.adapters.port import simulator_directory
    from dispctl.virtual.registry import running

    entry = _find(name)
    _request_of(entry, "stop")
    deadline = time.monotonic() + 5
    while entry in running(simulator_directory()) and time.monotonic() < deadline:
        time.sleep(0.02)
    Console(json=json).result({"stopped": entry.name}, f"stopped: {entry.name}")


def _ask(name: str | None, json: bool, op: str, **fields: Any) -> None:
    answer = _request(name, op, **fields)
    Console(json=json).result({"ok": True, **answer})


def _request(name: str | None, op: str, **fields: Any) -> dict[str, Any]:
    return _request_of(_find(name), op, **fields)


def _request_of(entry: "Entry", op: str, **fields: Any) -> dict[str, Any]:
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


def _refuse_second(name: str) -> None:
    from dispctl.adapters.port import simulator_directory
    from dispctl.virtual.registry import running

    if any(entry.name == name for entry in running(simulator_directory())):
        raise PortBusyError(
            f"A virtual board {name} is running already.", hint="Give this one another --name."
        )


def _announce(console: Console, entry: "Entry") -> None:
    from dataclasses import asdict

    if console.json:
        console.json_line(asdict(entry))
    else:
        typer.echo(f"cable: {entry.cable}")


def _mac_bytes(mac: str) -> bytes:
    from dispctl.adapters.aliases import normal_mac

    return bytes.fromhex(normal_mac(mac).replace(":", ""))


def _checked_name(name: str) -> str:
    if not name or not all(character.isalnum() or character in "-_" for character in name):
        raise UsageError(f"{name!r} is no name for a board.", hint="Use letters, digits, - and _.")
    return name


def _flash_of(name: str) -> Path:
    from platformdirs import user_data_path

    directory = user_data_path("dispctl") / "sim"
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"{name}.flash"


def _networks(given: list[str] | None) -> dict[str, str]:
    from dispctl.virtual.radio import DEFAULT_NETWORKS

    if not given:
        return dict(DEFAULT_NETWORKS)
    networks = {}
    for network in given:
        ssid, colon, password = network.partition(":")
        if not ssid or not colon:
            raise UsageError(
                f"{network!r} is no network.", hint="Write it as SSID:PASSWORD; an open one as SSID:"
            )
        networks[ssid] = password
    return networks


def _doses_table(report: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("jar", "now", "open in all", "openings", "closed by")
    for jar in report["jars"]:
        causes = ", ".join(opening["cause"] or "-" for opening in jar["openings"])
        state = "open" if jar["open"] else "closed"
        table.add_row(
            str(jar["jar"]), state, f"{jar['total_ms'] / 1000:.3f} s", str(len(jar["openings"])), causes
        )
    return table


def _status_lines(report: dict[str, Any]) -> list[str]:
    wifi = report["wifi"]
    flash = report["flash"]
    air = "on the air" if wifi["on_air"] else "off"
    return [
        f"{report['name']}: {report['state']}, {report['now_ms'] / 1000:.1f} s of board time at speed {report['speed']:g}",
        f"cable: {report['cable']}",
        f"wifi: {air}, {'joined' if wifi['joined'] else 'not joined'}",
        f"flash: {flash['file']}, {flash['erases']} erases, {flash['programmed_bytes']} bytes programmed",
    ]
