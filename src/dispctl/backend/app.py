"""Puts the backend together: settings and a database in, an ASGI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from dispctl import __version__
from dispctl.backend.body_limit import BodyLimit
from dispctl.backend.dependencies import Services
from dispctl.backend.page import router as page
from dispctl.backend.polls import PollAnswers
from dispctl.backend.refusals import Refusal
from dispctl.backend.routes import auth, board, clock, devices, jobs, kitchen, live, operation
from dispctl.backend.security import CookieSigner
from dispctl.backend.settings import Settings
from dispctl.backend.store.database import Database
from dispctl.backend.telemetry import Observed, Telemetry

LARGEST_BODY = 256 * 1024


def create_app(settings: Settings) -> FastAPI:
    """The application; its database is open from now until its lifespan ends.

    Raises `dispctl.backend.store.errors.UnusableDatabaseError`.
    """
    services = Services(settings, Database(settings.database_url), CookieSigner(settings.secret))
    telemetry = Telemetry(services)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        services.start()
        yield
        services.close()

    app = FastAPI(title="dispctl backend", version=__version__, lifespan=lifespan)
    app.state.services = services
    app.state.telemetry = telemetry
    app.add_middleware(BodyLimit, largest=LARGEST_BODY)
    app.add_middleware(PollAnswers, services=services)
    app.add_middleware(Observed, telemetry=telemetry)
    app.exception_handler(Refusal)(_refused)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(400)(_unreadable)
    app.exception_handler(Exception)(_failed)
    for module in (auth, kitchen, jobs, board, devices, live, clock, operation, page):
        app.include_router(module.router)
    return app


async def _refused(_request: Request, refusal: Refusal) -> JSONResponse:
    return JSONResponse({"detail": refusal.detail}, refusal.status, headers=refusal.headers)


async def _malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
    """FastAPI's list without what was sent: that may be a password, or a number that JSON cannot hold."""
    findings = [{key: finding[key] for key in ("type", "loc", "msg")} for finding in error.errors()]
    return JSONResponse({"detail": findings}, 422)


async def _unreadable(_request: Request, _error: Exception) -> JSONResponse:
    """A body that is no text, or nested without end, is malformed as well: FastAPI would answer 400, the contract has 422."""
    finding = {"type": "json_invalid", "loc": ["body"], "msg": "The body cannot be read as JSON."}
    return JSONResponse({"detail": [finding]}, 422)


async def _failed(_request: Request, _error: Exception) -> JSONResponse:
    """A bug; the server logs its traceback."""
    return JSONResponse({"detail": "The backend failed."}, 500)
