"""``dispctl sim`` and a board that runs: the faults it can be given, and its switches."""

from enum import Enum
from typing import Annotated

import typer

from dispctl.cli.options import Json
from dispctl.cli.sim_questions import Name, tell
from dispctl.errors import UsageError

app = typer.Typer()


class Wifi(str, Enum):
    """What the access points around the board do."""

    on = "on"
    off = "off"
    no_dhcp = "no-dhcp"


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


class Actuator(str, Enum):
    """What a jar's actuator does from now on."""

    stuck_open = "stuck-open"
    stuck_closed = "stuck-closed"
    free = "free"


class CableAction(str, Enum):
    """What to do with the cable."""

    unplug = "unplug"
    plug = "plug"


@app.command()
def wifi(state: Wifi, name: Name = None, json: Json = False) -> None:
    """Switch the Wi-Fi around the board on or off, or let it hand out no addresses."""
    tell(name, json, "wifi", on=state is not Wifi.off, dhcp=state is not Wifi.no_dhcp)


@app.command()
def reset(
    cause: Annotated[ResetCause, typer.Option(help="What resets it.")] = ResetCause.en,
    *,
    download: Annotated[
        bool, typer.Option("--download", help="Hold BOOT meanwhile: it waits for a download.")
    ] = False,
    name: Name = None,
    json: Json = False,
) -> None:
    """Reset the board."""
    if download and cause is not ResetCause.en:
        raise UsageError("Only a reset by EN can lead to download mode.", hint="Leave --cause out.")
    tell(name, json, "reset", cause=cause.value, download=download)


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
        tell(name, json, "cut_at", operations=operation, torn=torn, seed=seed)
    else:
        tell(name, json, "power", action=action.value)


@app.command()
def cable(
    action: CableAction,
    *,
    keep_power: Annotated[
        bool, typer.Option("--keep-power", help="unplug: the board has another supply, and goes on.")
    ] = False,
    name: Name = None,
    json: Json = False,
) -> None:
    """Pull the USB cable, and with it the board's power, or plug it in again."""
    if keep_power and action is CableAction.plug:
        raise UsageError("--keep-power is for unplug.")
    tell(name, json, "cable", action=action.value, keep_power=keep_power)


@app.command()
def noise(
    rate: Annotated[
        float, typer.Argument(min=0, max=1, help="The part of the bytes that is disturbed; 0 ends it.")
    ],
    seed: Annotated[int, typer.Option(help="The same seed disturbs the same bytes in the same way.")] = 0,
    name: Name = None,
    json: Json = False,
) -> None:
    """Flip, lose and make up bytes on the serial line, both ways."""
    tell(name, json, "noise", rate=rate, seed=seed)


@app.command()
def jar(
    number: Annotated[int, typer.Argument(min=1, max=4, metavar="JAR", help="Which jar, 1 to 4.")],
    actuator: Actuator,
    name: Name = None,
    json: Json = False,
) -> None:
    """Have a jar's actuator stuck, or free again; `sim doses` goes on telling what really happened."""
    stuck = {Actuator.stuck_open: "open", Actuator.stuck_closed: "closed", Actuator.free: None}[actuator]
    tell(name, json, "actuator", jar=number, stuck=stuck)
