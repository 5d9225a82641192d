"""How far a job should be by its plan. The backend hears of a pour when it is over: until then nobody there knows more."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters.backend_records import moment
from dispctl.errors import BackendRefusedError, BackendUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.backend_records import Job, JobItem, MotorSettings

MILLISECONDS = 1000
MADE_AND_TAKEN_S = 0.1
"""What begins sooner after it was made may have begun for nobody: the contract does not say when a job *starts*."""


@dataclass(frozen=True)
class Estimate:
    """What the plan says of a moment: how long each step should have poured, in their order, and how long all still take.

    A step that should be over has `poured_s` of what was asked, which does not make it done; `left_s` is 0 from then on.
    """

    poured_s: tuple[float, ...]
    left_s: float
    total_s: float


def estimate(items: Sequence[JobItem], motor: MotorSettings | None, since_s: float) -> Estimate:
    """The estimate `since_s` after a board took the job; without `motor` its delays count as none."""
    before_s = motor.pre_start_delay_ms / MILLISECONDS if motor else 0.0
    after_s = motor.post_stop_delay_ms / MILLISECONDS if motor else 0.0
    poured_s, now_s = [], 0.0
    for item in items:
        now_s += before_s
        poured_s.append(min(max(since_s - now_s, 0.0), item.duration_s))
        now_s += item.duration_s + after_s
    return Estimate(tuple(poured_s), max(now_s - since_s, 0.0), now_s)


class Estimator:
    """Estimates one job again and again; asks the backend for its clock and the motor when a board has taken the job."""

    def __init__(self, client: BackendClient, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._now = now
        self._taken_s: float | None = None
        self._motor: MotorSettings | None = None

    def estimate(self, job: Job) -> Estimate | None:
        """How far `job` should be; None where no board is known to have taken it, and when it has ended."""
        if job.started_at is None or job.ended:
            return None
        if self._taken_s is None:
            if not self._is_taken(job.created_at, job.started_at):
                return None
            self._taken_s = self._now() - self._seconds_since(job.started_at)
        return estimate(job.items, self._motor, self._now() - self._taken_s)

    def _is_taken(self, created_at: str | None, started_at: str) -> bool:
        """Whether it started a while after it was made, or else there is a board that can have taken it."""
        try:
            waited = moment(started_at) - moment(created_at or started_at)
            return waited.total_seconds() >= MADE_AND_TAKEN_S or self._is_board_online()
        except ValueError:
            return False

    def _is_board_online(self) -> bool:
        try:
            return any(device.online for device in self._client.devices())
        except (BackendRefusedError, BackendUnreachableError):
            return False

    def _seconds_since(self, started_at: str) -> float:
        """By the backend's clock, since this machine's may be another; 0 where it does not tell."""
        try:
            self._motor = self._client.motor()
            passed = self._client.utc() - moment(started_at)
        except (BackendRefusedError, BackendUnreachableError, ValueError):
            return 0.0
        return max(passed.total_seconds(), 0.0)
