"""A job as the page shows it: in one word, item by item, and what its plan says of the time; pure."""

from dataclasses import dataclass
from datetime import datetime

from dispctl.backend.mass import grams
from dispctl.backend.store.history import JobRecord
from dispctl.backend.store.tables import ACTIVE, Job, MotorRow

MILLISECONDS = 1000
SENTENCES = {
    "waiting": "Waiting for a board",
    "pouring": "Pouring",
    "done": "Done",
    "done_partial": "Partial success",
    "failed": "Failed",
    "canceled": "Cancelled",
}


@dataclass(frozen=True)
class ItemView:
    """One pour. `begins_s` is when the plan has its jar open, counted from when a board took the job."""

    order: int
    jar: int
    spice: str
    mass_g: float
    seconds: float
    begins_s: float
    status: str
    error: str | None


@dataclass(frozen=True)
class JobView:
    """A job. `state` is a key of `SENTENCES`; `undone` are the items that can be poured again.

    A board tells what became of the items when it has poured them all. Until then there is only the plan: which item it
    should be at by now, which the page marks as an estimate.
    """

    id: int
    state: str
    device_id: int | None
    recipe: str | None
    people: int
    items: list[ItemView]
    undone: list[ItemView]
    created_at: datetime
    taken_at: datetime | None
    finished_at: datetime | None
    error: str | None
    planned_s: float
    awaits_report: bool

    @property
    def active(self) -> bool:
        """Whether it waits or is being poured."""
        return self.state in {"waiting", "pouring"}

    @property
    def sentence(self) -> str:
        """Its state in a word or two, in English."""
        return SENTENCES[self.state]

    @property
    def done(self) -> list[ItemView]:
        """What was poured."""
        return [item for item in self.items if item.status == "done"]

    @property
    def failed(self) -> list[ItemView]:
        """What failed."""
        return [item for item in self.items if item.status == "failed"]


def view_job(record: JobRecord) -> JobView:
    """The job as it is shown."""
    job = record.job
    items, planned_s = _scheduled(job, record.motor)
    again = {item.id for item in record.undone}
    ended = job.status not in ACTIVE
    told = any(item.status != "queued" for item in job.items)
    return JobView(
        id=job.id,
        state=_state(job),
        device_id=job.device_id,
        recipe=record.recipe,
        people=job.people,
        items=items,
        undone=[view for view, item in zip(items, job.items, strict=True) if item.id in again],
        created_at=job.created_at,
        taken_at=job.started_at,
        finished_at=job.finished_at,
        # With a report, the items say what failed.
        error=job.error if ended and not told else None,
        planned_s=planned_s,
        awaits_report=job.status == "canceled" and job.device_id is not None and not told,
    )


def _state(job: Job) -> str:
    if job.status in ACTIVE:
        return "waiting" if job.status == "queued" and job.device_id is None else "pouring"
    return job.status


def _scheduled(job: Job, motor: MotorRow) -> tuple[list[ItemView], float]:
    """The items one after the other, each between the motor's delays, and how long all of them take."""
    views, now_s = [], 0.0
    for item in job.items:
        now_s += motor.pre_start_delay_ms / MILLISECONDS
        views.append(
            ItemView(
                order=item.order,
                jar=item.jar,
                spice=item.spice,
                mass_g=grams(item.quantity_ug),
                seconds=item.seconds,
                begins_s=now_s,
                status=item.status,
                error=item.error,
            )
        )
        now_s += item.seconds + motor.post_stop_delay_ms / MILLISECONDS
    return views, now_s
