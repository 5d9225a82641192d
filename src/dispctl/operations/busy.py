"""Asking the running firmware whether a jar is being poured, before anything is done that would stop it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispctl.adapters.control import ControlLine, open_control
from dispctl.errors import BoardRefusedError, BoardSilentError

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUS_TIMEOUT_S = 2.5
"""While it pours the firmware answers within 100 ms; a board without firmware should not hold up its flashing."""
POLL_INTERVAL_S = 1.0
NO_FIRMWARE_WORDS = ("invalid header: 0x", "waiting for download", "SyntaxError: invalid syntax")
"""A blank flash, the bootloader, and MicroPython's prompt that was asked for a status."""


@dataclass(frozen=True)
class Waited:
    """A jar is being poured; the operation waits. Numbers are None where the board does not tell."""

    job: int | None
    item: int | None
    total: int | None


def await_end_of_pour(port_name: str, *, wait: bool) -> Iterator[Waited]:
    """Return once nothing is being poured, or nobody answers who could pour.

    Raises BoardRefusedError while a jar is being poured and `wait` is false, and the errors of `open_port`.
    """
    with (
        open_control(port_name, on_line=_stop_at_proof_of_no_firmware) as control,
        suppress(_NoFirmwareError),
    ):
        while (status := _status(control)).get("pouring"):
            if not wait:
                raise _pouring(status)
            yield Waited(status.get("job"), status.get("item"), status.get("total"))
            control.listen(POLL_INTERVAL_S)


class _NoFirmwareError(Exception):
    """The board said what it says only when no program of ours runs."""


def _stop_at_proof_of_no_firmware(line: str) -> None:
    if any(line.startswith(words) for words in NO_FIRMWARE_WORDS):
        raise _NoFirmwareError


def _status(control: ControlLine) -> dict[str, Any]:
    try:
        return control.request("status", timeout_s=STATUS_TIMEOUT_S)
    except (BoardSilentError, BoardRefusedError):
        return {}  # no firmware of ours, or one that does not know the question


def _pouring(status: dict[str, Any]) -> BoardRefusedError:
    job, item, total = status.get("job"), status.get("item"), status.get("total")
    return BoardRefusedError(
        f"A jar is being poured: job {job}, item {item}/{total}.",
        hint="Add --wait to wait for the end, or --force to cut it off (the rest is poured afterwards).",
    )
