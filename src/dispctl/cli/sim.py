"""``dispctl sim``: the virtual board, from its start to its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dispctl.cli import sim_faults, sim_questions
from dispctl.cli.console import Console
from dispctl.cli.options import Json
from dispctl.errors import DamagedError, PortBusyError, UsageError

if TYPE_CHECKING:
    from dispctl.virtual.registry import Entry
    from dispctl.virtual.relays import Relays

app = typer.Typer(
    no_args_is_help=True, help="An ESP32 without hardware: run it, cut its power, ask it what was poured."
)


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
    pty: Annotated[
        bool, typer.Option("--pty", help="Offer a device path too, for tools that take nothing else (Linux).")
    ] = False,
    mac: Annotated[
        str | None, typer.Option(metavar="MAC", help="The chip's MAC. [default: made from the name]")
    ] = None,
    pins: Annotated[
        str, typer.Option(metavar="GPIO,…", help="The pins of the four jars' relays.")
    ] = "26,27,32,33",
    active_low: Annotated[
        bool, typer.Option("--active-low", help="The relays close their contacts at a low level.")
    ] = False,
    flash_timing: Annotated[
        bool, typer.Option("--flash-timing", help="Let erasing and programming take a real chip's time.")
    ] = False,
    json: Json = False,
) -> None:
    """Run a virtual board until Ctrl-C or `sim stop`."""
    from dispctl.adapters.port import simulator_directory
    from dispctl.virtual import serve

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
        pty=pty,
        mac=serve.mac_of(name) if mac is None else _mac_bytes(mac),
        relays=_relays(pins, active_low=active_low),
        flash_timing=flash_timing,
    )
    _refuse_second(name)
    with _translated():
        serve.serve(settings, lambda entry: _announce(console, entry))


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


app.add_typer(sim_questions.app)
app.add_typer(sim_faults.app)


@contextmanager
def _translated() -> Iterator[None]:
    """Turns what can go wrong at the start of a board into ours."""
    from dispctl.virtual import bridge, processor, pty_port
    from dispctl.virtual import flash as flash_chip

    try:
        yield
    except processor.InterpreterMissingError as error:
        raise UsageError(str(error), hint="Install it: pip install 'dispctl[sim]'") from error
    except bridge.PortTakenError as error:
        raise PortBusyError(
            str(error), hint="Choose another with --rfc2217-port, or 0 for any free one."
        ) from error
    except pty_port.PtyUnavailableError as error:
        raise UsageError(str(error), hint="Leave --pty out: rfc2217:// works everywhere.") from error
    except flash_chip.FlashFileError as error:
        raise DamagedError(
            str(error), hint="Give another file with --flash; a missing one is made blank."
        ) from error
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be used: {error.strerror}.", hint="Give another --flash."
        ) from error


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
        if entry.pty is not None:
            typer.echo(f"pty: {entry.pty}")


def _mac_bytes(mac: str) -> bytes:
    from dispctl.adapters.aliases import normal_mac

    return bytes.fromhex(normal_mac(mac).replace(":", ""))


def _relays(pins: str, *, active_low: bool) -> "Relays":
    from dispctl.virtual.relays import DEFAULT_PINS, OUTPUT_PINS, Relays

    numbers = [int(pin) if pin.isdecimal() else -1 for pin in pins.split(",")]
    if len(set(numbers)) != len(DEFAULT_PINS) or len(numbers) != len(DEFAULT_PINS):
        raise UsageError(f"{pins!r} are not four different pins.", hint="Write them as 26,27,32,33.")
    if not OUTPUT_PINS.issuperset(numbers):
        raise UsageError(
            f"{pins!r} are not all outputs.",
            hint="An ESP32 has 0 to 33 without 6 to 11, 20, 24 and 28 to 31.",
        )
    return Relays(tuple(numbers), active_low=active_low)


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
