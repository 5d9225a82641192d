"""What is told of the running backend: one log record a request, and counts for Prometheus.

Requests are named by their route (``/jobs/{job_id}``), never by what was asked for: the list of routes is finite, and
nothing that a client makes up gets into logs or counts.
"""

import json
import logging
import time
from datetime import datetime, timezone
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispctl.backend.dependencies import Services
from dispctl.backend.polls import PATH
from dispctl.backend.store import census

logger = logging.getLogger("dispctl.backend.requests")

BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Telemetry:
    """This process's counts, and what the database says when it is asked."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "dispctl_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "dispctl_request_seconds",
            "How long requests took; those that wait for a job are not among them.",
            ("method", "route"),
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self.waiting = Gauge(
            "dispctl_polls_in_hand", "Boards that ask for a job at this moment.", registry=self._registry
        )
        self._boards = Gauge("dispctl_boards_online", "Boards heard of lately.", registry=self._registry)
        self._jobs = Gauge("dispctl_jobs", "Jobs by status.", ("status",), registry=self._registry)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format; raises `StoreBusyError`."""
        since = self._services.now() - self._services.settings.online_within
        with self._services.database.read() as session:
            counted = census.take(session, since)
        self._boards.set(counted.boards_online)
        for status, number in counted.jobs.items():
            self._jobs.labels(status).set(number)
        return generate_latest(self._registry)

    def count(self, method: str, route: str, status: int, seconds: float, *, waited: bool) -> None:
        """Note an answered request."""
        self._requests.labels(method, route, status).inc()
        if not waited:
            self._seconds.labels(method, route).observe(seconds)
        if logger.isEnabledFor(logging.INFO):
            told = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            logger.info("%s %s %d", method, route, status, extra={"told": told})


class Observed:
    """ASGI middleware that has every HTTP request counted and logged."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it went; one without an answer counts as a 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        polls = scope["path"] == PATH

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._telemetry.waiting.inc(polls)
        try:
            await self._app(scope, receive, noting)
        finally:
            self._telemetry.waiting.dec(polls)
            waited = polls and b"wait=" in scope["query_string"]
            seconds = time.perf_counter() - began
            self._telemetry.count(_method(scope), _route(scope), status, seconds, waited=waited)


def _method(scope: Scope) -> str:
    known = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
    return scope["method"] if scope["method"] in known else "other"


def _route(scope: Scope) -> str:
    if scope["path"] == PATH:
        return PATH
    return getattr(scope.get("route"), "path", "other")


class JsonLines(logging.Formatter):
    """Log records as JSON objects, one a line: ``time``, ``level``, ``logger``, ``message`` and what was told beside."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
