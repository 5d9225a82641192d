"""Send a job so that it is there once, whatever happens to the answer.

Before it is sent, the order is written to the journal with the highest job id known. When no readable answer comes,
the job is looked for above that id before anything is sent again; where the backend may still be working on the first
request, nothing is sent again at all: the next run of the command finds the order in the journal and looks first.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters.backend_client import AnswerLostError
from dispctl.errors import BackendRefusedError, BackendUnreachableError
from dispctl.operations.job_search import newest_job_id, ordered_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.backend_records import Job
    from dispctl.adapters.job_journal import JobJournal, JobOrder

ATTEMPTS = 3
LOOKS = 2
LOOKS_FOR_LATE_JOB = 10
LOOK_INTERVAL_S = 1.0
CONFLICT = 409
FIRST_SERVER_ERROR = 500


@dataclass(frozen=True)
class Sent:
    """The job is in the backend; `found` if it was there although no answer had said so."""

    job: Job
    found: bool = False


@dataclass(frozen=True)
class AnswerMissed:
    """No readable answer came; the job is being looked for."""

    reason: str


@dataclass(frozen=True)
class EarlierSendFound:
    """An earlier run was cut off while it sent the same order, and this job is what came of it."""

    job: Job


def send_job(
    client: BackendClient,
    order: JobOrder,
    journal: JobJournal,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Sent | AnswerMissed | EarlierSendFound]:
    """Put one job of `order` into the backend; the last event is `Sent`.

    Raises `BackendRefusedError` if the backend says no, `BackendUnreachableError` if the order was never carried, and
    `AnswerLostError` if it is not known whether the job is there: running the command again is then safe.
    """
    earlier = journal.unanswered
    if earlier is not None and earlier.order == order:
        job = ordered_job(client, order, earlier.after_id)
        if job is not None:
            journal.settle(job.id)
            yield EarlierSendFound(job)
            yield Sent(job, found=True)
            return
    after_id = newest_job_id(client, journal.newest_id)
    journal.begin(order, after_id)
    yield from _Sending(client, order, journal, after_id, pause).events()


@dataclass(frozen=True)
class _Sending:
    client: BackendClient
    order: JobOrder
    journal: JobJournal
    after_id: int
    pause: Callable[[float], None]

    def events(self) -> Iterator[Sent | AnswerMissed]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                job = self.client.create_job(self.order.recipe_id, self.order.people)
            except (BackendRefusedError, BackendUnreachableError) as error:
                twin = self._twin(error)
                if twin is not None:
                    yield AnswerMissed(error.message)
                    yield self._settled(twin, found=True)
                    return
                self._raise_if_certain(error, first=attempt == 1)
                yield AnswerMissed(error.message)
                late = isinstance(error, AnswerLostError) and error.may_come_later
                found = self._look(LOOKS_FOR_LATE_JOB if late else LOOKS)
                if found is not None:
                    yield self._settled(found, found=True)
                    return
                if late or attempt == ATTEMPTS:
                    raise self._in_doubt(error) from error
            else:
                yield self._settled(job, found=False)
                return

    def _twin(self, error: BackendRefusedError | BackendUnreachableError) -> Job | None:
        """The job of this very order that a conflict is with: a gateway on the way may have sent the order twice."""
        if not isinstance(error, BackendRefusedError) or error.status != CONFLICT:
            return None
        try:
            return ordered_job(self.client, self.order, self.after_id)
        except (BackendRefusedError, BackendUnreachableError):
            return None

    def _raise_if_certain(self, error: BackendRefusedError | BackendUnreachableError, *, first: bool) -> None:
        """Raise an error that needs no search: the backend's no, or an order that was never carried.

        Only the first attempt's settles the journal: later ones say nothing of the answer missed before, and a
        conflict may then be with the very job that is looked for.
        """
        if isinstance(error, BackendRefusedError):
            certain = error.status < FIRST_SERVER_ERROR and (first or error.status != CONFLICT)
        else:
            certain = first and not isinstance(error, AnswerLostError)
        if certain and first:
            self.journal.settle(self.after_id)
        if certain:
            raise error

    def _look(self, times: int) -> Job | None:
        for _ in range(times):
            self.pause(LOOK_INTERVAL_S)
            try:
                job = ordered_job(self.client, self.order, self.after_id)
            except BackendUnreachableError:
                continue
            except BackendRefusedError as error:
                if error.status < FIRST_SERVER_ERROR:
                    raise
                continue
            if job is not None:
                return job
        return None

    def _settled(self, job: Job, *, found: bool) -> Sent:
        self.journal.settle(job.id)
        return Sent(job, found)

    def _in_doubt(
        self, error: BackendRefusedError | BackendUnreachableError
    ) -> BackendRefusedError | BackendUnreachableError:
        if isinstance(error, BackendRefusedError) and error.status == CONFLICT:
            return error
        return AnswerLostError(
            f"{error.message} The job was not seen there, and may still come.",
            may_come_later=True,
            hint="Run the same command again: it looks for the job before it sends anything.",
        )
