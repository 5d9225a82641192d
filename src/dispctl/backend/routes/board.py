"""What boards call: claim, heartbeat, next job, report."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from dispctl.backend.dependencies import Backend, CurrentBoard, Network, refuses
from dispctl.backend.polls import LONGEST_WAIT_S, WAIT_HEADER
from dispctl.backend.refusals import ConflictError, NotSignedInError
from dispctl.backend.schemas.accounts import ClaimedView, ClaimRequest
from dispctl.backend.schemas.fields import Id, Ok
from dispctl.backend.schemas.jobs import Heartbeat, JobView, ReportAnswer, ReportRequest, StatusRequest
from dispctl.backend.store import attempts, devices, jars, jobs, reports
from dispctl.backend.store.fleet import SignOfLife

router = APIRouter(prefix="/devices", tags=["boards"])

ANNOUNCED = {WAIT_HEADER: str(LONGEST_WAIT_S)}
Wait = Annotated[
    int,
    Query(
        alias="wait",
        ge=0,
        description=f"Seconds to wait for a job; more than {LONGEST_WAIT_S} are {LONGEST_WAIT_S}.",
    ),
]


@router.post("/claim", responses=refuses(400, 429))
def claim(body: ClaimRequest, services: Backend, network: Network) -> ClaimedView:
    """Become the board of the operator who made the code."""
    settings, now, key = services.settings, services.now(), f"claim {network}"
    with services.database.write() as session:
        attempts.take(session, key, limit=settings.claim_attempts, window=settings.attempts_window, now=now)
    identity = devices.Identity(body.uid, body.fw_version, body.mac)
    with services.database.write() as session:
        device, token = devices.spend_claim(session, body.claim_code, identity, now)
        attempts.give_back(session, key)
    return ClaimedView(device_id=device.id, device_token=token, heartbeat_sec=settings.heartbeat_s)


@router.post("/me/heartbeat", responses=refuses(401))
async def heartbeat(body: Heartbeat, services: Backend, board: CurrentBoard) -> Ok:
    """A sign of life."""
    if not await services.boards.heartbeat(SignOfLife(board.id, body.fw_version, body.status)):
        raise NotSignedInError(devices.UNKNOWN)
    return Ok()


@router.get(
    "/me/next_job",
    response_model=JobView,
    responses={204: {"description": "No job."}, **refuses(401)},
)
def next_job(services: Backend, board: CurrentBoard, _wait: Wait = 0) -> Response:
    """The owner's oldest queued job; it stays queued until its report comes.

    Boards for which there is none are answered, or made to wait, before they come here (`dispctl.backend.polls`).
    """
    with services.database.read() as session:
        job = jobs.next_for(session, board)
        motor = jars.motor_of(session, board.operator_id) if job else None
    if job is not None and job.device_id is None:
        with services.database.write() as session:
            devices.saw(session, board.id, services.now())
            job = jobs.take(session, board, services.now())
    if job is None or motor is None:
        return Response(status_code=204, headers=ANNOUNCED)
    return JSONResponse(JobView.of(job, motor).model_dump(mode="json"), headers=ANNOUNCED)


@router.post("/me/jobs/{job_id}/complete", responses=refuses(401, 403, 404, 409))
def complete(job_id: Id, body: ReportRequest, services: Backend, board: CurrentBoard) -> ReportAnswer:
    """Report a finished job. A repeat gets the same answer; a different second report is refused."""
    with services.database.write() as session:
        devices.saw(session, board.id, services.now())
        receipt = reports.apply(session, board, job_id, body.as_report(), services.now())
    if not receipt.accepted:
        raise ConflictError(receipt.message)
    return ReportAnswer(stock_deducted=receipt.stock_deducted, message=receipt.message)


@router.post("/me/jobs/{job_id}/status", responses=refuses(401, 403, 404, 409))
def status(job_id: Id, body: StatusRequest, services: Backend, board: CurrentBoard) -> Ok:
    """The older call; ``done`` counts as the report of everything planned, if none has come."""
    now = services.now()
    with services.database.write() as session:
        devices.saw(session, board.id, now)
        if body.status == "running":
            jobs.start(session, board, job_id, now)
        elif body.status == "done":
            reports.finish_by_status(session, board, job_id, now)
        else:
            jobs.fail(session, board, job_id, body.error or "The board gave no reason.", now)
    return Ok()
