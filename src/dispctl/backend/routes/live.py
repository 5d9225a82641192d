"""The WebSocket on which an operator follows a job."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect, status
from starlette.concurrency import run_in_threadpool

from dispctl.backend.dependencies import COOKIE, Backend, Services
from dispctl.backend.origins import is_foreign
from dispctl.backend.refusals import NotFoundError, NotSignedInError, StoreBusyError
from dispctl.backend.schemas.fields import Id
from dispctl.backend.store import jobs, operators, reports
from dispctl.backend.store.tables import ACTIVE, Job, JobReport

NOT_SIGNED_IN = 4001
NO_SUCH_JOB = 4004

router = APIRouter()


@router.websocket("/ws/jobs/{job_id}")
async def watch_job(websocket: WebSocket, job_id: Id, services: Backend) -> None:
    """Push what the report says, entry by entry, and then its outcome; also to a watcher who comes late.

    Answers the text ``ping``. Closes with 4001 when nobody is signed in and 4004 when the job is not the operator's.
    """
    await websocket.accept()
    cookie = None if is_foreign(websocket) else websocket.cookies.get(COOKIE)
    try:
        await run_in_threadpool(_check, services, cookie, job_id)
    except NotSignedInError as refusal:
        await websocket.close(NOT_SIGNED_IN, refusal.detail)
        return
    except NotFoundError as refusal:
        await websocket.close(NO_SUCH_JOB, refusal.detail)
        return
    except StoreBusyError as refusal:
        await websocket.close(status.WS_1013_TRY_AGAIN_LATER, refusal.detail)
        return
    await _serve(websocket, services, job_id)


def _check(services: Services, cookie: str | None, job_id: int) -> None:
    with services.database.read() as session:
        operator = operators.signed_in(session, services.signer.session_id(cookie), services.now())
        jobs.job_of(session, operator.id, job_id)


async def _serve(websocket: WebSocket, services: Services, job_id: int) -> None:
    """Push and answer until the watcher goes."""
    pushing = asyncio.create_task(_push(websocket, services, job_id))
    try:
        while True:
            if (await websocket.receive_text()).strip().lower() == "ping":
                await websocket.send_json({"type": "pong"})
    except WebSocketDisconnect:
        pass
    finally:
        pushing.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect):
            await pushing


async def _push(websocket: WebSocket, services: Services, job_id: int) -> None:
    try:
        outcome = await _ended(services, job_id)
    except StoreBusyError as refusal:
        await websocket.close(status.WS_1013_TRY_AGAIN_LATER, refusal.detail)
        return
    for message in outcome.messages():
        await websocket.send_json(message)


async def _ended(services: Services, job_id: int) -> "_Outcome":
    """Wait for the job's end; at once when it has ended."""
    with services.news.watching(job_id) as changed:
        while True:
            changed.clear()
            outcome = await run_in_threadpool(_outcome, services, job_id)
            if outcome is not None:
                return outcome
            await changed.wait()


@dataclass(frozen=True)
class _Outcome:
    """A job that has ended, and its report if one came."""

    job: Job
    report: JobReport | None

    def messages(self) -> Iterator[dict[str, Any]]:
        """What the watcher is told, in order."""
        ended = self.report.received_at if self.report else self.job.finished_at
        timestamp = ended.isoformat() if ended else None
        for entry in self.report.entries if self.report else []:
            yield {"type": "execution_log_entry", "data": entry, "timestamp": timestamp}
        yield {"type": "execution_complete", "data": self._complete(), "timestamp": timestamp}

    def _complete(self) -> dict[str, Any]:
        return {
            "ok": self.report is not None,
            "stock_deducted": self.report.stock_deducted if self.report else False,
            "itens_completados": self.report.completed if self.report else 0,
            "itens_falhados": self.report.failed if self.report else 0,
            "job_status": self.job.status,
        }


def _outcome(services: Services, job_id: int) -> _Outcome | None:
    with services.database.read() as session:
        job = session.get(Job, job_id)
        if job is None or job.status in ACTIVE:
            return None
        return _Outcome(job, reports.report_of(session, job_id))
