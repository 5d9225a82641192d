"""Show one job, cancel the active one, and make a new job from what failed in another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dispctl.adapters.backend_records import (
    MAX_INGREDIENT_G,
    MAX_INGREDIENTS,
    MAX_RECIPE_NAME_LENGTH,
    Ingredient,
    RecipeDraft,
)
from dispctl.errors import BackendRefusedError, UsageError
from dispctl.operations.job_search import NOT_FOUND, active_job_id, newest_jobs

if TYPE_CHECKING:
    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.backend_records import Job, JobItem
    from dispctl.adapters.job_journal import JobJournal

SMALLEST_G = 0.1


def show_job(client: BackendClient, journal: JobJournal, job_id: int | None) -> Job:
    """The job, or without an id the active one, else the newest; raises `UsageError` if there is none."""
    if job_id is None:
        job_id = active_job_id(client)
    if job_id is None:
        newest = next(newest_jobs(client, journal.newest_id, 1), None)
        if newest is None:
            raise UsageError("There is no job yet.", hint="Send one with dispctl send-job.")
        return newest
    try:
        return client.job(job_id)
    except BackendRefusedError as error:
        if error.status != NOT_FOUND:
            raise
        raise BackendRefusedError(
            f"You have no job {job_id}.", status=NOT_FOUND, hint="See dispctl jobs."
        ) from error


def job_to_cancel(client: BackendClient, journal: JobJournal, job_id: int | None) -> Job:
    """The job that a cancel would end; raises `BackendRefusedError` for one that has ended."""
    job = show_job(client, journal, job_id)
    if job.ended:
        raise BackendRefusedError(
            f"There is nothing to cancel: job {job.id} has ended.", status=NOT_FOUND, hint="See dispctl jobs."
        )
    return job


def cancel_job(client: BackendClient, job: Job) -> Job:
    """Cancel `job`, the active one; answers how it is now. Raises `BackendRefusedError` if it had ended by then."""
    if not client.cancel_active_job():
        raise BackendRefusedError(f"There is nothing to cancel: job {job.id} has ended.", status=NOT_FOUND)
    return client.job(job.id)


def cancel_if_active(client: BackendClient, journal: JobJournal, job_id: int) -> bool:
    """Make sure that the backend does not hand the job out any more; whether it had ended already or is not known there."""
    try:
        cancel_job(client, job_to_cancel(client, journal, job_id))
    except BackendRefusedError as error:
        if error.status != NOT_FOUND:
            raise
        return True
    return False


def draft_of_failed(job: Job) -> tuple[RecipeDraft, int]:
    """A recipe, and for how many people, that pours what `job` left undone; raises `UsageError` if that is nothing.

    A recipe holds at most 500 g of a spice, a job more: larger amounts are spread over people.
    """
    if not job.ended:
        raise UsageError(
            f"Job {job.id} has not ended.", hint=f"Wait, or cancel it: dispctl job cancel {job.id}."
        )
    failed = [item for item in job.items if item.status != "done"]
    if not failed:
        raise UsageError(f"Nothing failed in job {job.id}.", hint=f"See it: dispctl job show {job.id}.")
    if len(failed) > MAX_INGREDIENTS:
        raise UsageError(
            f"{len(failed)} steps of job {job.id} failed; a recipe has at most {MAX_INGREDIENTS}."
        )
    people = max(1, math.ceil(max(item.grams for item in failed) / MAX_INGREDIENT_G))
    name = f"Job {job.id}, once more: {', '.join(item.spice for item in failed)}"
    ingredients = tuple(_ingredient(item, people) for item in failed)
    return RecipeDraft(name[:MAX_RECIPE_NAME_LENGTH], 1, ingredients), people


def _ingredient(item: JobItem, people: int) -> Ingredient:
    return Ingredient(item.spice, max(SMALLEST_G, round(item.grams / people, 1)))
