"""An operator's jobs in the order they were made, and a new job from what an old one left undone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispctl.backend.plan import Ingredient, plan_items
from dispctl.backend.refusals import ConflictError
from dispctl.backend.store import jars, jobs, recipes
from dispctl.backend.store.tables import ACTIVE, Job, JobItem, JobReport, MotorRow


def newest_jobs(
    session: Session, operator_id: int, *, limit: int, before_id: int | None = None
) -> Sequence[Job]:
    """The operator's newest `limit` jobs, newest first; those made before job `before_id`, where it is given."""
    newest = select(Job).where(Job.operator_id == operator_id).order_by(Job.id.desc()).limit(limit)
    return session.scalars(newest if before_id is None else newest.where(Job.id < before_id)).all()


def undone_items(session: Session, job: Job) -> list[JobItem]:
    """What can be poured again of the operator's last job: its items that were not poured; empty for any other job.

    Only of the last one, because the job that poured the rest of an earlier one may be among those after it. A board that
    had taken a job goes on pouring when it is cancelled: until its report comes nobody knows what is left.
    """
    at_large = job.status == "canceled" and job.device_id is not None and not _is_reported(session, job.id)
    left = [item for item in job.items if item.status != "done"]
    if not left or job.status in ACTIVE or at_large:
        return []
    return left if newest_jobs(session, job.operator_id, limit=1) == [job] else []


@dataclass(frozen=True)
class JobRecord:
    """A job with what its row alone does not tell; `recipe` is None when the recipe is gone."""

    job: Job
    recipe: str | None
    motor: MotorRow
    undone: list[JobItem]


def records(session: Session, operator_id: int, found: Iterable[Job]) -> list[JobRecord]:
    """The operator's jobs, each with its recipe's name and what of it can be poured again."""
    names = {recipe.id: recipe.name for recipe in recipes.recipes_of(session, operator_id)}
    motor = jars.motor_of(session, operator_id)
    return [JobRecord(job, names.get(job.recipe_id), motor, undone_items(session, job)) for job in found]


def create_again(session: Session, operator_id: int, job_id: int, now: datetime) -> Job:
    """A queued job of what an earlier one left undone, as much of it, from the jars as they are now.

    Raises `NotFoundError`, and `ConflictError` when another job is active, `undone_items` has nothing or the jars cannot
    serve it.
    """
    before = jobs.job_of(session, operator_id, job_id)
    jobs.check_none_active(session, operator_id)
    left = undone_items(session, before)
    if not left:
        raise ConflictError("Nothing of job {job} can be poured again.", job=job_id)
    planned = plan_items(
        [Ingredient(item.spice, item.quantity_ug) for item in left],
        portions=1,
        people=1,
        jars=[row.as_jar() for row in jars.jars_of(session, operator_id)],
    )
    again = Job(
        operator_id=operator_id,
        recipe_id=before.recipe_id,
        people=before.people,
        status="queued",
        created_at=now,
    )
    return jobs.queue(session, again, planned)


def _is_reported(session: Session, job_id: int) -> bool:
    return session.scalar(select(JobReport.job_id).where(JobReport.job_id == job_id)) is not None
