"""The ground truth: when each jar was open, as its valve or servo saw it; out of the firmware's reach.

A jar is open while its relay is on or its servo stands past the middle, unless its actuator is stuck; neither pins nor
pulses are known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

JARS = 4
FIRMWARE = "firmware"
ACTUATOR = "actuator"  # the cause when a jar closes because its actuator got stuck or came loose


class Stuck(str, Enum):
    """Where an actuator stays, whatever drives it."""

    OPEN = "open"
    CLOSED = "closed"


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
    stuck: Stuck | None = None

    @property
    def should_be_open(self) -> bool:
        """Where the actuator stands once it has moved."""
        return bool(self.drivers) if self.stuck is None else self.stuck is Stuck.OPEN

    @property
    def is_open(self) -> bool:
        """What the truth says so far."""
        return bool(self.openings) and self.openings[-1].closed_ms is None


class Jars:
    """The four jars, numbered from 1; `now_ms` is the board's clock."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._jars = [_Jar() for _ in range(JARS)]

    def drive(self, jar: int, driver: str, *, is_open: bool, cause: str = FIRMWARE) -> None:
        """Let `driver` (a relay, a servo) hold the jar open or not; it closes when none holds it open any more."""
        state = self._jars[jar - 1]
        (state.drivers.add if is_open else state.drivers.discard)(driver)
        self._move(state, cause)

    def stick(self, jar: int, stuck: Stuck | None) -> None:
        """Have the jar's actuator stay where `stuck` says, powered or not, until None sets it free."""
        state = self._jars[jar - 1]
        state.stuck = stuck
        self._move(state, ACTUATOR)

    def _move(self, state: _Jar, cause: str) -> None:
        if state.should_be_open and not state.is_open:
            state.openings.append(Opening(self._now_ms()))
        elif state.is_open and not state.should_be_open:
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
            "open": state.is_open,
            "stuck": None if state.stuck is None else state.stuck.value,
            "total_ms": sum(opening.duration_ms(now_ms) for opening in state.openings),
            "openings": [vars(opening).copy() for opening in state.openings],
        }
