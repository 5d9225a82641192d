"""Jobs, as the operator makes, sees and cancels them."""

from fastapi import APIRouter

from dispctl.backend.dependencies import Backend, CurrentOperator, refuses
from dispctl.backend.schemas.fields import Id
from dispctl.backend.schemas.jobs import ActiveJob, ActiveView, CancelledView, JobRequest, JobView
from dispctl.backend.store import jars, jobs

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=refuses(401))


@router.post("", status_code=201, responses=refuses(404, 409))
def create_job(body: JobRequest, services: Backend, operator: CurrentOperator) -> JobView:
    """Queue a job for one of the operator's boards."""
    with services.database.write() as session:
        job = jobs.create(session, operator.id, body.receita_id, body.pessoas_solicitadas, services.now())
        return JobView.of(job, jars.motor_of(session, operator.id))


# Before /jobs/{job_id}, or "active" would be taken for an id.
@router.get("/active")
def get_active_job(services: Backend, operator: CurrentOperator) -> ActiveView:
    """The queued or running job, if there is one."""
    with services.database.read() as session:
        job = jobs.active(session, operator.id)
        if job is None:
            return ActiveView(active=None)
        return ActiveView(active=ActiveJob(id=job.id, status=job.status, started_at=job.started_at))


@router.post("/active/cancel")
def cancel_active_job(services: Backend, operator: CurrentOperator) -> CancelledView:
    """Cancel the active job. A board that has taken it goes on pouring; its report is still taken."""
    with services.database.write() as session:
        cancelled = jobs.cancel_active(session, operator.id, services.now())
    return CancelledView(cancelled=len(cancelled))


@router.get("/{job_id}", responses=refuses(404))
def get_job(job_id: Id, services: Backend, operator: CurrentOperator) -> JobView:
    """One of the operator's jobs."""
    with services.database.read() as session:
        job = jobs.job_of(session, operator.id, job_id)
        return JobView.of(job, jars.motor_of(session, operator.id))
