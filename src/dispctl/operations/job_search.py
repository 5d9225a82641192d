"""Find an operator's jobs where the backend has no list of them: the active one, and the ids after the last known.

``GET /jobs/{id}`` answers 404 past the end and for another operator's job alike, so a search goes on past some gaps.
``GET /jobs/active`` answers 422 on the deployed backend, which means *not known* (`design/contract.md`).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from dispctl.errors import BackendRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.backend_records import Job
    from dispctl.adapters.job_journal import JobOrder

LONGEST_GAP = 10
LONGEST_GAP_BACK = 100
NOT_FOUND = 404
PATH_TAKEN = 422


def active_job_id(client: BackendClient) -> int | None:
    """The id of the queued or running job; None if there is none or the backend cannot say."""
    try:
        return client.active_job_id()
    except BackendRefusedError as error:
        if error.status != PATH_TAKEN:
            raise
        return None


def newest_job_id(client: BackendClient, known_id: int) -> int:
    """The highest id among the operator's jobs; `known_id` is where the search begins (0: nothing is known)."""
    begin = max(known_id, active_job_id(client) or 0)
    return max((job.id for job in _existing_after(client, begin)), default=begin)


def newest_jobs(client: BackendClient, known_id: int, limit: int) -> Iterator[Job]:
    """Up to `limit` of the operator's jobs, newest first."""
    newest_id = newest_job_id(client, known_id)
    own = _existing(client, range(newest_id, 0, -1), limit + LONGEST_GAP_BACK)
    return itertools.islice(own, limit)


def ordered_job(client: BackendClient, order: JobOrder, after_id: int) -> Job | None:
    """The job above `after_id` that was made of `order`, None if it is not there."""
    active_id = active_job_id(client)
    if active_id is not None and active_id > after_id:
        job = client.job(active_id)
        if _is_of(job, order):
            return job
    return next((job for job in _existing_after(client, after_id) if _is_of(job, order)), None)


def _is_of(job: Job, order: JobOrder) -> bool:
    return job.recipe_id == order.recipe_id and job.people == order.people


def _existing_after(client: BackendClient, after_id: int) -> Iterator[Job]:
    last_id = after_id
    while True:
        found = list(_existing(client, range(last_id + 1, last_id + 1 + LONGEST_GAP), LONGEST_GAP))
        if not found:
            return
        yield from found
        last_id = found[-1].id


def _existing(client: BackendClient, ids: Iterable[int], longest_gap: int) -> Iterator[Job]:
    missing = 0
    for job_id in ids:
        try:
            job = client.job(job_id)
        except BackendRefusedError as error:
            if error.status != NOT_FOUND:
                raise
            missing += 1
            if missing >= longest_gap:
                return
        else:
            missing = 0
            yield job
