"""Finds the board with a known MAC among the ports of this machine by asking the firmware on each; resets nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dispctl.adapters.control import open_control
from dispctl.errors import (
    BoardNotFoundError,
    BoardRefusedError,
    BoardSilentError,
    PortBusyError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ANSWER_TIMEOUT_S = 2.5
_MOST_AT_ONCE = 16


def find(name: str, mac: str, ports: Sequence[tuple[str, str]]) -> str:
    """The concrete name of the port where the board `name` with this MAC is; `ports` are (shown, concrete) names.

    A single port whose board does not tell who it is may be the one; whoever writes to it asks the bootloader. Raises
    BoardRefusedError when only other boards are there, UsageError when several do not tell, BoardNotFoundError when
    there is none.
    """
    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        macs = list(pool.map(ask_mac, (concrete for _, concrete in ports)))
    found = {concrete: (shown, answer) for (shown, concrete), answer in zip(ports, macs, strict=True)}
    for concrete, (_, answer) in found.items():
        if answer == mac:
            return concrete
    untold = [concrete for concrete, (_, answer) in found.items() if answer is None]
    if len(untold) == 1:
        return untold[0]
    if untold:
        shown = ", ".join(found[concrete][0] for concrete in untold)
        raise UsageError(
            f"{name} ({mac}) may be on any of {shown}: their boards do not tell who they are.",
            hint="Give the port instead, with --expect-mac.",
        )
    if not found:
        raise BoardNotFoundError(f"{name} ({mac}) is not connected.", hint="Connect the board.")
    others = ", ".join(f"{answer} on {shown}" for shown, answer in found.values())
    raise BoardRefusedError(
        f"{name} is {mac}, which is not connected; there is {others}.", hint="Connect the right board."
    )


def ask_mac(port_name: str) -> str | None:
    """What the firmware on the port says its MAC is; None when no firmware answers or somebody else holds the port."""
    try:
        with open_control(port_name) as control:
            mac = control.request("status", timeout_s=ANSWER_TIMEOUT_S).get("mac")
    except (BoardSilentError, BoardRefusedError, BoardNotFoundError, PortBusyError):
        return None
    return str(mac) if mac else None
