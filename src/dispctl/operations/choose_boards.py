"""Which boards a command is about: by port, by alias, or all that are connected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dispctl.adapters import port as ports
from dispctl.adapters.aliases import normal_mac, user_aliases
from dispctl.errors import BoardNotFoundError, BoardRefusedError, DispctlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class ChosenBoard:
    """A board as it was named, the port that leads to it, and the MAC that it must have (None: any)."""

    name: str
    port: str
    expected_mac: str | None


def choose_boards(
    names: Sequence[str], *, every: bool = False, expected_mac: str | None = None
) -> list[ChosenBoard]:
    """The boards that `names` or `every` choose, each once.

    Raises UsageError when both choose, two names lead to one port, or one MAC is expected of several; BoardNotFoundError when there is none, and the
    errors of `ports.resolve` for an alias.
    """
    if every and names:
        raise UsageError("--all and --port contradict each other.")
    if every:
        names = [name for name, _ in ports.candidates()]
        if not names:
            raise BoardNotFoundError(
                "No board was found.", hint="Connect boards, or start virtual ones: dispctl sim run."
            )
    chosen = [_chosen(name) for name in dict.fromkeys(names or ["auto"])]
    if len(chosen) > 1:
        _refuse_twins(chosen)
    if expected_mac is None:
        return chosen
    if len(chosen) > 1:
        raise UsageError("--expect-mac is about one board.", hint="Give the boards aliases instead.")
    return [ChosenBoard(chosen[0].name, chosen[0].port, normal_mac(expected_mac))]


def check_mac(port: str, mac: str | None, expected_mac: str | None) -> None:
    """Raises BoardRefusedError when another board than the expected one is on the port; None expects any."""
    if expected_mac not in {None, mac}:
        raise BoardRefusedError(
            f"The board on {port} is {mac}, not {expected_mac}.",
            hint="Look which is where: dispctl ports --identify.",
        )


def _refuse_twins(chosen: Sequence[ChosenBoard]) -> None:
    names: dict[str, str] = {}
    for board in chosen:
        other = names.setdefault(_concrete(board), board.name)
        if other != board.name:
            raise UsageError(f"{other} and {board.name} are the same port.", hint="Name each board once.")


def _concrete(board: ChosenBoard) -> str:
    """What tells the port from every other; one that is not there is told of when its turn comes."""
    try:
        name = ports.resolve(board.port)
    except DispctlError:
        return board.port
    return str(Path(name).resolve()) if name.startswith("/") else name


def _chosen(name: str) -> ChosenBoard:
    mac = user_aliases().mac_of(name)
    return ChosenBoard(name, ports.resolve(name) if mac else name, mac)
