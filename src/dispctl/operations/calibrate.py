"""Find out how much a jar pours in a second: pour for a time that the board measures, and weigh what fell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters.backend_records import JobItem
from dispctl.errors import BoardRefusedError, UsageError
from dispctl.operations import hand_over
from dispctl.operations.dose_plan import MAX_STEP_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispctl.adapters.backend_records import Jar
    from dispctl.adapters.control import ControlLine

SMALLEST_S = 0.5
"""Opening and closing take a part of it: a shorter pour would say little about a longer one."""


@dataclass(frozen=True)
class Measured:
    """The jar was open for so long."""

    poured_ms: int


def pour(control: ControlLine, jar: Jar, seconds: float) -> Iterator[hand_over.Poured | Measured]:
    """Open `jar` for `seconds`; `Measured` is the last event.

    Raises UsageError for a time that cannot be, BoardRefusedError if the jar did not pour, and the errors of the cable.
    """
    if not SMALLEST_S <= seconds <= MAX_STEP_S:
        raise UsageError(f"A calibration pours for {SMALLEST_S:g} to {MAX_STEP_S:g} s, not {seconds:g} s.")
    hand_over.require_free(control)
    item = JobItem(1, jar.number, jar.spice or f"Jar {jar.number}", 0.0, seconds, "queued")
    job = hand_over.local_job([item])
    hand_over.hand_over(control, job, None)
    for event in hand_over.follow_on_board(control, job):
        yield _measured(event) if isinstance(event, hand_over.EndedOnBoard) else event


def _measured(ended: hand_over.EndedOnBoard) -> Measured:
    (item,) = ended.job.items
    if item.status != "done":
        raise BoardRefusedError(
            f"Jar {item.jar} did not pour its time: {item.error or item.status}.",
            hint="Look at the board (dispctl monitor), then calibrate again.",
        )
    return Measured(ended.poured_ms[0])


def rate_g_per_s(grams: float, poured_ms: int) -> float:
    """Grams a second, to a thousandth; raises UsageError for a weight that cannot be."""
    rate = round(grams / (poured_ms / 1000), 3) if grams > 0 else 0.0
    if not 0 < rate < float("inf"):
        raise UsageError(f"{grams:g} g cannot have fallen in {poured_ms / 1000:g} s.", hint="Weigh again.")
    return rate
