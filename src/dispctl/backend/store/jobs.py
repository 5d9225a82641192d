"""Jobs from their making to their end, but for the report that ends them (`store.reports`)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispctl.backend.plan import PlannedItem, plan_items
from dispctl.backend.refusals import ConflictError, ForeignJobError, NotFoundError
from dispctl.backend.store import changes, jars, operators, recipes
from dispctl.backend.store.fleet import KnownBoard
from dispctl.backend.store.tables import ACTIVE, IS_QUEUED, Job, JobItem


def create(session: Session, operator_id: int, recipe_id: int, people: int, now: datetime) -> Job:
    """A queued job from one of the operator's recipes.

    Raises `NotFoundError` for the recipe, and `ConflictError` when another job is active or the jars cannot serve it.
    """
    recipe = recipes.recipe(session, operator_id, recipe_id)
    check_none_active(session, operator_id)
    planned = plan_items(
        [row.as_ingredient() for row in recipe.ingredients],
        portions=recipe.portions,
        people=people,
        jars=[row.as_jar() for row in jars.jars_of(session, operator_id)],
    )
    job = Job(operator_id=operator_id, recipe_id=recipe_id, people=people, status="queued", created_at=now)
    return queue(session, job, planned)


def check_none_active(session: Session, operator_id: int) -> None:
    """Raise `ConflictError` when the operator has an active job; else nobody makes one before this transaction ends."""
    operators.lock(session, operator_id)
    other = active(session, operator_id)
    if other is not None:
        raise ConflictError("Another job ({job}) is active.", job=other.id)


def queue(session: Session, job: Job, planned: Sequence[PlannedItem]) -> Job:
    """Keep a new job with these items; raises `ConflictError` when another one was faster."""
    job.items = [
        JobItem(
            order=item.order,
            jar=item.jar,
            spice=item.spice,
            quantity_ug=item.quantity_ug,
            seconds=item.seconds,
            status="queued",
        )
        for item in planned
    ]
    session.add(job)
    try:
        session.flush()
    except IntegrityError as error:  # the unique index on active jobs: another process was first
        raise ConflictError("Another job is active.") from error
    changes.note(session, job.operator_id, job.id)
    return job


def job_of(session: Session, operator_id: int, job_id: int) -> Job:
    """One of the operator's jobs; raises `NotFoundError`, for another's too."""
    job = session.get(Job, job_id)
    if job is None or job.operator_id != operator_id:
        raise NotFoundError("There is no job {job}.", job=job_id)
    return job


def active(session: Session, operator_id: int) -> Job | None:
    """The operator's queued or running job, if there is one."""
    return session.scalar(select(Job).where(Job.operator_id == operator_id, Job.status.in_(ACTIVE)))


def cancel_active(
    session: Session, operator_id: int, now: datetime, *, job_id: int | None = None
) -> list[int]:
    """Cancel the operator's active job, or `job_id` alone if it is that; returns the ids cancelled: one or none."""
    this = Job.operator_id == operator_id if job_id is None else Job.id == job_id
    cancelled = session.scalars(
        update(Job)
        .where(this, Job.operator_id == operator_id, Job.status.in_(ACTIVE))
        .values(status="canceled", finished_at=now, error="Cancelled by the operator.")
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    ).all()
    for cancelled_id in cancelled:
        changes.note(session, operator_id, cancelled_id)
    return list(cancelled)


def next_for(session: Session, board: KnownBoard) -> Job | None:
    """The owner's oldest queued job, unless another board has taken it."""
    return session.scalar(
        select(Job)
        .where(
            Job.operator_id == board.operator_id,
            IS_QUEUED,
            or_(Job.device_id.is_(None), Job.device_id == board.id),
        )
        .order_by(Job.id)
        .limit(1)
    )


def take(session: Session, board: KnownBoard, now: datetime) -> Job | None:
    """Give a job that no board has taken to this board; None when there is none, or another was faster.

    The job stays queued: a board that forgets it gets it again. Another board does not, or it would be poured twice.
    """
    job = next_for(session, board)
    if job is None or job.device_id is not None:
        return job
    taken = session.execute(
        update(Job)
        .where(Job.id == job.id, Job.status == "queued", Job.device_id.is_(None))
        .values(device_id=board.id, started_at=now)
        .returning(Job.id)
    )
    if taken.first() is None:
        return None
    changes.note(session, job.operator_id, job.id)
    return job


def for_device(session: Session, board: KnownBoard, job_id: int) -> Job:
    """A job of the board's owner, locked for the rest of the transaction.

    Raises `NotFoundError`, and `ForeignJobError` when it is another owner's.
    """
    job = session.scalar(select(Job).where(Job.id == job_id).with_for_update())
    if job is None:
        raise NotFoundError("There is no job {job}.", job=job_id)
    if job.operator_id != board.operator_id:
        raise ForeignJobError(f"Job {job_id} belongs to another owner.")
    return job


def start(session: Session, board: KnownBoard, job_id: int, now: datetime) -> None:
    """The board says that it runs the job. Raises as `for_device`, and `ConflictError` when the job has ended."""
    job = for_device(session, board, job_id)
    if job.status not in ACTIVE:
        raise ConflictError(f"Job {job_id} has ended: {job.status}.")
    job.status = "running"
    job.started_at = job.started_at or now
    job.device_id = job.device_id or board.id
    changes.note(session, job.operator_id, job.id)


def fail(session: Session, board: KnownBoard, job_id: int, error: str, now: datetime) -> None:
    """The board gives the job up; a repeat changes nothing. Raises as `start`."""
    job = for_device(session, board, job_id)
    if job.status == "failed":
        return
    if job.status not in ACTIVE:
        raise ConflictError(f"Job {job_id} has ended: {job.status}.")
    job.status = "failed"
    job.finished_at = now
    job.error = error
    changes.note(session, job.operator_id, job.id)
