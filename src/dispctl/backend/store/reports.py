"""The report that ends a job: applied once, in one transaction with its stock."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispctl.backend.report import Report, ReportEntry
from dispctl.backend.store import changes, jars, jobs
from dispctl.backend.store.fleet import KnownBoard
from dispctl.backend.store.tables import Job, JobReport, SetAsideReport


@dataclass(frozen=True)
class Receipt:
    """What came of a report. `accepted` is False when it contradicts the one that counts."""

    accepted: bool
    stock_deducted: bool
    message: str


def apply(session: Session, board: KnownBoard, job_id: int, report: Report, now: datetime) -> Receipt:
    """Apply a report, or answer a repeat as before, or set a different one aside (the caller refuses it).

    Raises `NotFoundError` and `ForeignJobError`. The job's row is locked first, so that of many at once one is first;
    should two processes come by that lock, the report's primary key lets one of them through.
    """
    job = jobs.for_device(session, board, job_id)
    earlier = session.get(JobReport, job_id)
    if earlier is None:
        return _apply_first(session, board, job, report, now)
    if earlier.fingerprint == report.fingerprint():
        return Receipt(True, earlier.stock_deducted, earlier.message)
    _set_aside(session, board, job_id, report, now)
    if earlier.source == "status":
        return Receipt(
            True, earlier.stock_deducted, "The job was finished by its status; the log was kept aside."
        )
    return Receipt(False, False, f"Job {job_id} has another report already; this one was kept aside.")


def finish_by_status(session: Session, board: KnownBoard, job_id: int, now: datetime) -> None:
    """The older call: everything planned was poured. Without effect on a job that was reported."""
    job = jobs.for_device(session, board, job_id)
    if session.get(JobReport, job_id) is not None:
        return
    entries = tuple(
        ReportEntry(item.jar, item.spice, item.quantity_ug, item.seconds, "done", None, item.order)
        for item in job.items
    )
    _apply_first(session, board, job, Report(len(entries), 0, entries), now, source="status")


def report_of(session: Session, job_id: int) -> JobReport | None:
    """The report that counts for a job, if it has come."""
    return session.get(JobReport, job_id)


def _apply_first(
    session: Session, board: KnownBoard, job: Job, report: Report, now: datetime, *, source: str = "complete"
) -> Receipt:
    deducted = jars.take_stock(session, job.operator_id, job.id, report.taken_ug(), now)
    message = "Job finished, stock taken off." if deducted else "Job finished, no stock to take off."
    session.add(
        JobReport(
            job_id=job.id,
            device_id=board.id,
            source=source,
            fingerprint=report.fingerprint(),
            completed=report.completed,
            failed=report.failed,
            entries=[entry.as_wire() for entry in report.entries],
            stock_deducted=deducted,
            message=message,
            received_at=now,
        )
    )
    _finish_items(job, report)
    _finish_job(job, report, now)
    session.flush()
    changes.note(session, job.operator_id, job.id)
    return Receipt(True, deducted, message)


def _finish_items(job: Job, report: Report) -> None:
    of_items = report.entries_of_items([item.jar for item in job.items])
    for item, entry in zip(job.items, of_items, strict=True):
        if entry is not None:
            item.status = entry.status
            item.error = entry.error
        elif report.job_status(len(job.items)) == "done":
            item.status = "done"
        else:
            item.status = "failed"
            item.error = "The report does not name this item."


def _finish_job(job: Job, report: Report, now: datetime) -> None:
    """A cancelled job stays cancelled: what was poured has left the jars, but nobody wanted it done."""
    if job.status != "canceled":
        job.status = report.job_status(len(job.items))
        job.error = report.problems()
    job.finished_at = job.finished_at or now


def _set_aside(session: Session, board: KnownBoard, job_id: int, report: Report, now: datetime) -> None:
    fingerprint = report.fingerprint()
    known = session.scalar(
        select(SetAsideReport.id).where(
            SetAsideReport.job_id == job_id, SetAsideReport.fingerprint == fingerprint
        )
    )
    if known is None:
        session.add(
            SetAsideReport(
                job_id=job_id,
                device_id=board.id,
                fingerprint=fingerprint,
                completed=report.completed,
                failed=report.failed,
                entries=[entry.as_wire() for entry in report.entries],
                received_at=now,
            )
        )
