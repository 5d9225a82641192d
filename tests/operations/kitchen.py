"""A backend in memory behind `httpx.MockTransport`, faithful to the contract, with faults that strike when told to."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from dispctl.adapters.backend_client import BackendClient

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS = "http://backend.test"
Fault = str
"""``timeout``, ``late``: as timeout, but the job comes some looks later; ``cut``: breaks off; ``garbled``: no JSON;
``500``, ``504``: the server fails; each before (``-``) or after (``+``) the job was made."""


@dataclass
class Kitchen:
    """One operator's jobs.

    `faults` strike the next ``POST /jobs`` one after another, ``""`` is none; after a job was made, the next `outages`
    calls find nobody.
    """

    faults: deque[Fault] = field(default_factory=deque)
    knows_active: bool = True
    first_id: int = 1
    pours_at_once: bool = False
    jobs: dict[int, dict[str, Any]] = field(default_factory=dict)
    creations: int = 0
    looks_until_late: int | None = None
    outages: int = 0

    def client(self) -> BackendClient:
        return BackendClient(ADDRESS, cookie="c", transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if (request.method, path) == ("POST", "/jobs"):
            return self._post(json.loads(request.content))
        if self.outages and self.creations:
            self.outages -= 1
            raise httpx.ConnectError("down")
        if path == "/jobs/active":
            self._let_time_pass()
            return self._active()
        number = int(path.removeprefix("/jobs/"))
        job = self.jobs.get(number)
        return (
            httpx.Response(404, json={"detail": "Job not found"})
            if job is None
            else httpx.Response(200, json=job)
        )

    def make(self, body: dict[str, Any]) -> httpx.Response:
        if any(job["status"] == "queued" for job in self.jobs.values()):
            return httpx.Response(409, json={"detail": "Another job is active."})
        self.creations += 1
        number = max(self.jobs, default=self.first_id - 1) + 1
        status = "done" if self.pours_at_once else "queued"
        self.jobs[number] = {"id": number, "status": status, "itens": [], **body}
        return httpx.Response(201, json=self.jobs[number])

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        fault = self.faults.popleft() if self.faults else ""
        if fault == "late":
            self._late_body = body
            self.looks_until_late = 3
            raise httpx.ReadTimeout("timed out")
        answer = self.make(body) if not fault.endswith("-") else httpx.Response(201)
        return self._strike(fault.rstrip("+-"), answer)

    @staticmethod
    def _strike(fault: Fault, answer: httpx.Response) -> httpx.Response:
        if fault == "timeout":
            raise httpx.ReadTimeout("timed out")
        if fault == "cut":
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        if fault == "garbled":
            return httpx.Response(201, content=b'{"id": 1, "sta')
        return httpx.Response(int(fault), text="<html>oops") if fault else answer

    def _active(self) -> httpx.Response:
        if not self.knows_active:
            return httpx.Response(
                422, json={"detail": [{"loc": ["path", "job_id"], "msg": "not an integer"}]}
            )
        active = [job for job in self.jobs.values() if job["status"] == "queued"]
        shown = {"id": active[0]["id"], "status": "queued", "started_at": None} if active else None
        return httpx.Response(200, json={"active": shown})

    def _let_time_pass(self) -> None:
        if self.looks_until_late is not None:
            self.looks_until_late -= 1
            if self.looks_until_late == 0:
                self.looks_until_late = None
                self.make(self._late_body)


def answering(answer: Callable[[httpx.Request], httpx.Response], cookie: str | None = "c") -> BackendClient:
    """A client whose every request is answered by `answer`."""
    return BackendClient(ADDRESS, cookie=cookie, transport=httpx.MockTransport(answer))
