"""Follow a job to its end: ask the backend whenever there is news, or again and again where none comes; shows nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dispctl.errors import (
    BackendRefusedError,
    BackendUnreachableError,
    DeadlineError,
    JobEndedBadlyError,
)
from dispctl.operations.pour_estimate import Estimator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.backend_records import Job, JobItem
    from dispctl.operations.pour_estimate import Estimate

POLL_INTERVAL_S = 1.0
UNTAKEN_INTERVAL_S = 2.0
"""No news comes of a board that takes the job: so long as none has, it is asked for at least this often."""
LONGEST_OUTAGE_S = 300.0
FIRST_SERVER_ERROR = 500
STATUS_WORDS = {"done_partial": "partial success"}


@dataclass(frozen=True)
class StatusChanged:
    """The job has another status than before."""

    job: Job


@dataclass(frozen=True)
class ItemChanged:
    """One step has another status than before."""

    item: JobItem
    total: int


@dataclass(frozen=True)
class Taken:
    """A board has the job; `estimate` is how far it should be by its plan. It reports when it has poured everything."""

    job: Job
    estimate: Estimate


@dataclass(frozen=True)
class Waited:
    """Nothing new; `elapsed_s` since the following began, `estimate` as in `Taken` and None before."""

    job: Job
    elapsed_s: float
    estimate: Estimate | None = None


@dataclass(frozen=True)
class BackendLost:
    """The backend does not answer; it is asked again."""

    reason: str


@dataclass(frozen=True)
class BackendBack:
    """The backend answers again."""


@dataclass(frozen=True)
class Ended:
    """The job came to its end, good or bad."""

    job: Job


FollowEvent = StatusChanged | Taken | ItemChanged | Waited | BackendLost | BackendBack | Ended


@dataclass(frozen=True)
class Clock:
    """The time that following goes by."""

    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


class News(Protocol):
    """What tells when to ask; `adapters.job_news.JobNews` is one."""

    def wait(self, timeout_s: float) -> bool:
        """Wait for at most `timeout_s`; whether the job should be asked for now."""


@dataclass(frozen=True)
class NoNews:
    """Nobody tells: ask after every wait."""

    clock: Clock

    def wait(self, timeout_s: float) -> bool:
        """Wait for `timeout_s`."""
        self.clock.pause(timeout_s)
        return True


def follow_job(
    client: BackendClient,
    job: Job,
    *,
    timeout_s: float | None = None,
    news: News | None = None,
    clock: Clock | None = None,
) -> Iterator[FollowEvent]:
    """Yield what happens to `job`, `Ended` last; with `news` it is asked for when they say so.

    A backend that does not answer is waited for. Raises `DeadlineError` after `timeout_s` (None: never),
    `BackendUnreachableError` after an outage of `LONGEST_OUTAGE_S` and `BackendRefusedError` for a refusal.
    """
    clock = clock or Clock()
    following = _Following(client, job, news or NoNews(clock), clock)
    began_s = clock.now()
    while not following.job.ended:
        elapsed_s = clock.now() - began_s
        if timeout_s is not None and elapsed_s >= timeout_s:
            raise _late(following.job, timeout_s)
        yield from following.estimated(elapsed_s)
        if following.should_ask():
            yield from following.ask()
    yield Ended(following.job)


class _Following:
    """What is known of `job` and of the backend that tells of it."""

    def __init__(self, client: BackendClient, job: Job, news: News, clock: Clock) -> None:
        self.job = job
        self._client, self._news, self._clock = client, news, clock
        self._estimator = Estimator(client, clock.now)
        self._taken = False
        self._outage = False
        self._asked_s = self._answered_s = clock.now()

    def estimated(self, elapsed_s: float) -> Iterator[Taken | Waited]:
        """How far the job should be by now."""
        estimate = self._estimator.estimate(self.job)
        if estimate is not None and not self._taken:
            self._taken = True
            yield Taken(self.job, estimate)
        yield Waited(self.job, elapsed_s, estimate)

    def should_ask(self) -> bool:
        """Wait for news; whether the job should be asked for now."""
        told = self._news.wait(POLL_INTERVAL_S)
        return told or (not self._taken and self._clock.now() - self._asked_s >= UNTAKEN_INTERVAL_S)

    def ask(self) -> Iterator[FollowEvent]:
        """What has changed; raises BackendUnreachableError after an outage that is too long."""
        self._asked_s = self._clock.now()
        try:
            latest = _ask(self._client, self.job.id)
        except BackendUnreachableError as error:
            if self._clock.now() - self._answered_s > LONGEST_OUTAGE_S:
                raise
            if not self._outage:
                yield BackendLost(error.message)
            self._outage = True
            return
        if self._outage:
            yield BackendBack()
        self._outage, self._answered_s = False, self._clock.now()
        yield from _changes(self.job, latest)
        self.job = latest


def check_outcome(job: Job) -> None:
    """Raise `JobEndedBadlyError`, saying what failed and why, unless every step was done."""
    if job.status == "done":
        return
    failed = [_failure(item) for item in job.items if item.status not in ("done", "canceled")]
    # Where the backend gives a reason of its own, it names the steps too.
    reason = (job.error or ", ".join(failed)).rstrip(".") or "the backend gives no reason"
    raise JobEndedBadlyError(
        f"Job {job.id} ended as {status_words(job.status)}: {reason}.",
        hint=f"Send what failed once more: dispctl job retry-failed {job.id}.",
    )


def status_words(status: str) -> str:
    """A status as people read it."""
    return STATUS_WORDS.get(status, status)


def _ask(client: BackendClient, job_id: int) -> Job:
    """The job; a failing server counts as one that does not answer."""
    try:
        return client.job(job_id)
    except BackendRefusedError as error:
        if error.status < FIRST_SERVER_ERROR:
            raise
        raise BackendUnreachableError(error.message) from error


def _changes(before: Job, after: Job) -> Iterator[StatusChanged | ItemChanged]:
    if after.status != before.status:
        yield StatusChanged(after)
    known = {item.position: item.status for item in before.items}
    for item in after.items:
        if known.get(item.position) != item.status:
            yield ItemChanged(item, len(after.items))


def _failure(item: JobItem) -> str:
    reason = f" ({item.error.rstrip('.')})" if item.error else ""
    return f"{item.spice} in jar {item.jar} {status_words(item.status)}{reason}"


def _late(job: Job, timeout_s: float) -> DeadlineError:
    where = " and on a board" if job.started_at else ""
    return DeadlineError(
        f"Job {job.id} has not ended within {timeout_s:g} s; it is {status_words(job.status)}{where}.",
        hint=f"It goes on. See it with dispctl job show {job.id}.",
    )
