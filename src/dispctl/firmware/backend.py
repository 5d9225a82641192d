"""The board's calls of the backend contract. Knows paths and fields, and whether the token is good; not when to call."""

import json

from .http_client import HttpClient, Response, Wait
from .job import MAX_PAYLOAD_BYTES
from .job_state import JobState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .backend_time import BackendTime
    from .console import Console
    from .parts import System
    from .settings import Settings

UNAUTHORIZED = 401
_CLIENT_ERRORS = range(400, 500)
_PASSING = (UNAUTHORIZED, 408, 425, 429)  # a new token, or a later moment, and the same request is accepted
_NEXT_JOB = "/devices/me/next_job"
_JOB_LIMIT_BYTES = MAX_PAYLOAD_BYTES + 1
ANSWER_MARGIN_MS = 3_000  # beyond the time that the backend was asked to wait


class Backend:
    """`reached`, `refused` (the token) and `error` say how the last call went, for `status`."""

    def __init__(
        self,
        http: HttpClient,
        backend_time: "BackendTime",
        settings: "Settings",
        system: "System",
        console: "Console",
        *,
        version: str,
    ) -> None:
        self._http = http
        self._time = backend_time
        self._settings = settings
        self._system = system
        self._console = console
        self._version = version
        self.reached = False
        self.refused = False
        self.error: str | None = None

    @property
    def claimed(self) -> bool:
        """Whether there is a token that the backend has not refused."""
        return bool(self._settings["device_token"]) and not self.refused

    @property
    def checks_certificate(self) -> bool:
        """Whether the backend has to prove who it is; then the time matters."""
        return (self._settings["backend_url"] or "").startswith("https") and not self._settings[
            "tls_insecure"
        ]

    def hang_up(self) -> None:
        """Use the connection there is for no further request: who is at its end may not be whom the settings mean."""
        self._http.close()

    def claim(self, code: str) -> Response:
        """Trade the claim code for a token; sent over once, since a code is spent by its first use."""
        fields = {
            "uid": self._system.uid,
            "claim_code": code,
            "fw_version": self._version,
            "mac": self._system.mac,
        }
        answer = self._call("POST", "/devices/claim", _one(fields), token=False)
        if answer.status == UNAUTHORIZED:
            self.refused = False  # there was no token to refuse
        return answer

    def heartbeat(self, status: "dict[str, Any]") -> Response:
        """Say that the board is there."""
        return self._call(
            "POST", "/devices/me/heartbeat", _one({"fw_version": self._version, "status": status})
        )

    def next_job(self) -> Response:
        """The job to do next: 200 with its payload (one byte too many where it is too long), 204 for none."""
        return self._call("GET", _NEXT_JOB, None, limit=_JOB_LIMIT_BYTES, whole=True)

    def await_job(self, wait_s: int, is_over: "Callable[[], bool]") -> Response:
        """The same, but without a job the backend answers after `wait_s` seconds only; `is_over` ends that."""
        wait = Wait(wait_s * 1000 + ANSWER_MARGIN_MS, is_over)
        path = f"{_NEXT_JOB}?wait={wait_s}"
        return self._call("GET", path, None, limit=_JOB_LIMIT_BYTES, wait=wait, whole=True)

    def complete(self, state: JobState) -> Response:
        """The report of a job in which every item has a result."""
        return self._call("POST", f"/devices/me/jobs/{state.job.id}/complete", lambda: _report(state))

    def refuse(self, job_id: int, reason: str) -> Response:
        """The report of a job that could not even be begun: one failed entry with the reason, no stock taken."""
        entry = {
            "frasco": 1,
            "tempero": "?",
            "quantidade_g": 0,
            "segundos": 0,
            "status": "failed",
            "error": reason,
        }
        fields = {"itens_completados": 0, "itens_falhados": 1, "execution_logs": [entry]}
        return self._call("POST", f"/devices/me/jobs/{job_id}/complete", _one(fields))

    def _call(
        self,
        method: str,
        path: str,
        body: "Callable[[], Iterable[bytes]] | None",
        *,
        token: bool = True,
        limit: int = 2048,
        wait: "Wait | None" = None,
        whole: bool = False,
    ) -> Response:
        settings = self._settings
        url, secret = settings["backend_url"], settings["device_token"]
        was_to_be_checked = self.checks_certificate
        answer = self._http.request(
            method,
            url or "",
            path,
            token=secret if token else None,
            body=body,
            limit=limit,
            repeatable=token,
            wait=wait,
        )
        if was_to_be_checked:
            self._time.learn(url, answer)
        if whole and _may_lack_its_end(answer):
            answer = Response(0, error="resposta incompleta")
        # A wait that failed says nothing: not all on the way let a request wait. Nor does a backend of before.
        is_news = wait is None or answer.ok or answer.status == UNAUTHORIZED
        if is_news and (url, secret) == (settings["backend_url"], settings["device_token"]):
            self._note(answer)
        if settings["debug_http"]:
            shown = answer.text() if token else "..."  # the answer to a claim holds the token
            self._console.log(
                "HTTP", f"{method} {path} -> {answer.status} ({len(answer.body)} bytes) {shown}"
            )
        return answer

    def _note(self, answer: Response) -> None:
        self.reached = answer.status > 0
        self.refused = answer.status == UNAUTHORIZED
        self.error = None if answer.ok else answer.error or f"HTTP {answer.status}"


def is_final(status: int) -> bool:
    """Whether the request will not be accepted at any later time either."""
    return status in _CLIENT_ERRORS and status not in _PASSING


def _may_lack_its_end(answer: Response) -> bool:
    """Whether nobody said how long the body is, and it is no JSON either."""
    if not (answer.ok and answer.open_ended):
        return False
    try:
        json.loads(answer.body)
    except (ValueError, RuntimeError):
        return True
    return False


def _one(fields: "dict[str, Any]") -> "Callable[[], Iterable[bytes]]":
    piece = json.dumps(fields).encode()
    return lambda: (piece,)


def _report(state: JobState) -> "Iterable[bytes]":
    """The report in pieces: forty entries at once would not fit beside everything else."""
    head = f'{{"itens_completados": {state.done}, "itens_falhados": {state.failed}, "execution_logs": ['
    yield head.encode()
    for index in range(state.total):
        yield (", " if index else "").encode() + json.dumps(state.log_entry(index)).encode()
    yield b"]}"
