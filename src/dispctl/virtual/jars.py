"""The ground truth: when each jar was open, as its valve or servo saw it; out of the firmware's reach.

A jar is open while its relay's pin is high or its servo stands past the middle; it knows neither pins nor pulses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

JARS = 4
FIRMWARE = "firmware"


@dataclass
class Opening:
    """One time that a jar was open, in milliseconds of board time; `cause` says what closed it."""

    opened_ms: int
    closed_ms: int | None = None
    cause: str | None = None

    def duration_ms(self, now_ms: int) -> int:
        """How long it was open, up to `now_ms` if it still is."""
        return (now_ms if self.closed_ms is None else self.closed_ms) - self.opened_ms


@dataclass
class _Jar:
    drivers: set[str] = field(default_factory=set)
    openings: list[Opening] = field(default_factory=list)


class Jars:
    """The four jars, numbered from 1; `now_ms` is the board's clock."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._jars = [_Jar() for _ in range(JARS)]

    def drive(self, jar: int, driver: str, *, is_open: bool, cause: str = FIRMWARE) -> None:
        """Let `driver` (a relay, a servo) hold the jar open or not; it closes when none holds it open any more."""
        state = self._jars[jar - 1]
        was_open = bool(state.drivers)
        (state.drivers.add if is_open else state.drivers.discard)(driver)
        if state.drivers and not was_open:
            state.openings.append(Opening(self._now_ms()))
        elif was_open and not state.drivers:
            state.openings[-1].closed_ms = self._now_ms()
            state.openings[-1].cause = cause

    def forget(self) -> None:
        """Drop the openings that have ended, as before a new job."""
        for state in self._jars:
            state.openings = [opening for opening in state.openings if opening.closed_ms is None]

    def report(self) -> dict[str, Any]:
        """All openings since the start or the last `forget`, for ``sim doses --json``."""
        now_ms = self._now_ms()
        return {"jars": [self._describe(number, now_ms) for number in range(1, JARS + 1)], "now_ms": now_ms}

    def _describe(self, number: int, now_ms: int) -> dict[str, Any]:
        state = self._jars[number - 1]
        return {
            "jar": number,
            "open": bool(state.drivers),
            "total_ms": sum(opening.duration_ms(now_ms) for opening in state.openings),
            "openings": [vars(opening).copy() for opening in state.openings],
        }
