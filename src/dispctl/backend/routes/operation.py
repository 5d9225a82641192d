"""For those who run the backend: whether it is well, and its counts."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from dispctl.backend.dependencies import Backend, refuses
from dispctl.backend.schemas.fields import Ok

if TYPE_CHECKING:
    from dispctl.backend.telemetry import Telemetry

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"

router = APIRouter(tags=["operation"], responses=refuses())


@router.get("/healthz")
def health(services: Backend) -> Ok:
    """Whether the backend and its database answer."""
    services.database.check()
    return Ok()


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """This process's counts, in Prometheus' text format."""
    telemetry: Telemetry = request.app.state.telemetry
    return Response(telemetry.exposition(), media_type=PROMETHEUS_TEXT)
