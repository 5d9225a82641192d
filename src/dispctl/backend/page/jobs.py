"""Jobs: their history, one of them, cancelling it and pouring again what failed."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from dispctl.backend.dependencies import Backend, CurrentOperator, Services
from dispctl.backend.page.board_view import is_heard, view_boards
from dispctl.backend.page.forms import OperatorsForm
from dispctl.backend.page.job_view import view_job
from dispctl.backend.page.refused import PageRoute
from dispctl.backend.page.rendering import HEADERS, OperatorsView, View
from dispctl.backend.refusals import ConflictError
from dispctl.backend.schemas.fields import LARGEST_ID, Id
from dispctl.backend.store import devices, history, jobs
from dispctl.backend.store.operators import SignedIn

JOBS_A_PAGE = 20

router = APIRouter(prefix="/page/jobs", route_class=PageRoute)


@router.get("")
def show_history(
    view: OperatorsView,
    operator: CurrentOperator,
    services: Backend,
    before: Annotated[int, Query(ge=1, le=LARGEST_ID)] = LARGEST_ID,
) -> Response:
    """The jobs made before job `before`, newest first."""
    with services.database.read() as session:
        found = history.newest_jobs(session, operator.id, limit=JOBS_A_PAGE + 1, before_id=before)
        records = history.records(session, operator.id, found[:JOBS_A_PAGE])
    views = [view_job(record) for record in records]
    older = views[-1].id if len(found) > JOBS_A_PAGE else None
    return view.html("history.html", jobs=views, older=older)


@router.get("/{job_id}")
def show_job(job_id: Id, view: OperatorsView, operator: CurrentOperator, services: Backend) -> Response:
    """One job."""
    return _job_page(view, operator, services, job_id)


@router.post("/{job_id}/cancel")
def cancel(
    _form: OperatorsForm, job_id: Id, view: OperatorsView, operator: CurrentOperator, services: Backend
) -> Response:
    """Cancel this job, and no other that may have begun since the page was shown."""
    with services.database.write() as session:
        jobs.job_of(session, operator.id, job_id)
        cancelled = jobs.cancel_active(session, operator.id, services.now(), job_id=job_id)
    if not cancelled:
        return _job_page(
            view, operator, services, job_id, ConflictError("Job {job} has ended already.", job=job_id)
        )
    return RedirectResponse("/", 303, HEADERS)


@router.post("/{job_id}/retry")
def retry(
    _form: OperatorsForm, job_id: Id, view: OperatorsView, operator: CurrentOperator, services: Backend
) -> Response:
    """Send what this job left undone as a new job."""
    try:
        with services.database.write() as session:
            history.create_again(session, operator.id, job_id, services.now())
    except ConflictError as problem:
        return _job_page(view, operator, services, job_id, problem)
    return RedirectResponse("/", 303, HEADERS)


def _job_page(
    view: View, operator: SignedIn, services: Services, job_id: int, problem: ConflictError | None = None
) -> Response:
    with services.database.read() as session:
        found = jobs.job_of(session, operator.id, job_id)
        (record,) = history.records(session, operator.id, [found])
        devices_found = devices.devices_of(session, operator.id)
    job = view_job(record)
    boards = view_boards(devices_found, now=view.now, online_within=services.settings.online_within)
    status = problem.status if problem else 200
    return view.at(f"/page/jobs/{job_id}").html(
        "job.html", status=status, job=job, heard=is_heard(boards, job), problem=problem
    )
