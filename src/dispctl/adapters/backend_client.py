"""The operator's side of the backend over HTTP: the only module that knows httpx; shows nothing and keeps no file.

Failures: `BackendRefusedError` for an answer that says no (`status` is the HTTP status), `BackendUnreachableError`
where the request was never carried, `AnswerLostError` where it was sent and its effect is not known.
No password, cookie or claim code is in any message.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from dispctl import __version__
from dispctl.adapters.backend_address import is_loopback, normalized, reason_of
from dispctl.adapters.backend_records import (
    ClaimCode,
    Device,
    Jar,
    Job,
    MotorSettings,
    Operator,
    Recipe,
    RecipeDraft,
    moment,
)
from dispctl.errors import BackendRefusedError, BackendUnreachableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from typing_extensions import Self

    from dispctl.adapters.job_news import JobNews

Decoded = TypeVar("Decoded")

COOKIE_NAME = "access_token"
DEFAULT_TIMEOUT_S = 15.0
_LONGEST_DETAIL = 300
_CONFLICT_HINT = "See dispctl jobs and dispctl jars."
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class AnswerLostError(BackendUnreachableError):
    """The request was sent and no readable answer came: it may have been carried out.

    `may_come_later` says that the backend (or a proxy before it) can still be working on the request.
    """

    def __init__(self, message: str, *, may_come_later: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.may_come_later = may_come_later


class BackendClient:
    """One operator's connection to one backend; a context manager, closed by `close`.

    `cookie` is the value of the ``access_token`` cookie of an earlier login; `transport` replaces the network.
    Raises `UsageError` for an address that is none.
    """

    def __init__(
        self,
        base_url: str,
        *,
        cookie: str | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        trust: ssl.SSLContext | bool = True,
    ) -> None:
        self.base_url = normalized(base_url)
        self.cookie = cookie
        self._timeout_s = timeout_s
        self._trust = trust
        self._http = httpx.Client(
            base_url=self.base_url,
            transport=transport,
            timeout=timeout_s,
            verify=trust,
            headers={"Accept": "application/json", "User-Agent": f"dispctl/{__version__}"},
            # A proxy for the internet has no way to a server on this machine.
            trust_env=not is_loopback(self.base_url),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    # The session

    def register(self, name: str, password: str) -> Operator:
        """Create an operator; does not log in."""
        body = {"nome": name, "senha": password}
        response = self._call("POST", "/auth/register", "the registration", body, secret=password)
        return self._decoded(response, Operator.from_wire)

    def login(self, name: str, password: str) -> Operator:
        """Log in; the session's cookie is in `cookie` afterwards."""
        body = {"nome": name, "senha": password}
        response = self._call("POST", "/auth/login", "the login", body, secret=password)
        self.cookie = _session_cookie(response)
        return self._decoded(response, Operator.from_wire)

    def logout(self) -> None:
        """End the session on the backend's side and forget the cookie."""
        self._call("POST", "/auth/logout", "the logout")
        self.cookie = None

    def me(self) -> Operator:
        """Who is logged in."""
        return self._decoded(self._call("GET", "/auth/me", "to say who is logged in"), Operator.from_wire)

    # Jars and motor

    def jars(self) -> list[Jar]:
        """The jars' set-up, in the order of their numbers."""
        response = self._call("GET", "/config/robo", "to show the jars")
        return self._decoded(response, _jars)

    def set_jars(self, jars: Sequence[Jar]) -> list[Jar]:
        """Store the set-up of all jars; answers what is stored now."""
        body = [jar.to_wire() for jar in jars]
        return self._decoded(self._call("PUT", "/config/robo", "the jars", body), _jars)

    def motor(self) -> MotorSettings:
        """The vibration motor's settings."""
        response = self._call("GET", "/config/motor", "to show the motor's settings")
        return self._decoded(response, MotorSettings.from_wire)

    # Recipes

    def spices(self) -> list[str]:
        """Names of the spices in the backend's catalogue."""
        response = self._call("GET", "/catalogo/temperos", "to show the spices")
        return self._decoded(response, lambda answer: [str(name) for name in answer])

    def recipes(self) -> list[Recipe]:
        """The operator's recipes."""
        response = self._call("GET", "/receitas/", "to show the recipes")
        return self._decoded(response, lambda answer: [Recipe.from_wire(each) for each in answer])

    def create_recipe(self, draft: RecipeDraft) -> Recipe:
        """Store a new recipe."""
        response = self._call("POST", "/receitas/", "the recipe", draft.to_wire())
        return self._decoded(response, Recipe.from_wire)

    # Jobs

    def create_job(self, recipe_id: int, people: int) -> Job:
        """Queue a job; not safe to repeat by itself (see `operations.send_job`)."""
        body = {"receita_id": recipe_id, "pessoas_solicitadas": people}
        return self._decoded(self._call("POST", "/jobs", "the job", body), Job.from_wire)

    def job(self, job_id: int) -> Job:
        """One job; status 404 where there is none or it is another operator's."""

        def decode(answer: Any) -> Job:
            job = Job.from_wire(answer)
            if job.id != job_id:
                raise ValueError("the answer to another request")
            return job

        return self._decoded(self._call("GET", f"/jobs/{job_id}", f"to show job {job_id}"), decode)

    def active_job_id(self) -> int | None:
        """The id of the queued or running job; the deployed backend refuses this with status 422."""
        response = self._call("GET", "/jobs/active", "to show the active job")
        return self._decoded(response, _active_id)

    def cancel_active_job(self) -> bool:
        """Cancel the queued or running job; answers whether there was one."""
        response = self._call("POST", "/jobs/active/cancel", "to cancel the job")
        return self._decoded(response, lambda answer: bool(answer["cancelled"]))

    def job_news(self, job_id: int) -> JobNews:
        """What waits for news of a job; connects when it is first waited for."""
        from dispctl.adapters.job_news import JobNews

        cookie = f"{COOKIE_NAME}={self.cookie}" if self.cookie else None
        trust = None if isinstance(self._trust, bool) else self._trust
        return JobNews(self.base_url, job_id, cookie=cookie, trust=trust)

    # Boards

    def utc(self) -> datetime:
        """What time it is by the backend's clock."""
        response = self._call("GET", "/time", "to tell the time")
        return self._decoded(response, lambda answer: moment(answer["utc"]))

    def new_claim_code(self) -> ClaimCode:
        """A code that lets one board join, once, for ten minutes."""
        response = self._call("POST", "/devices/claims", "a claim code")
        return self._decoded(response, ClaimCode.from_wire)

    def devices(self) -> list[Device]:
        """The operator's boards."""
        response = self._call("GET", "/devices", "to show the boards")
        return self._decoded(response, lambda answer: [Device.from_wire(each) for each in answer["devices"]])

    # The wire

    def _call(
        self, method: str, path: str, what: str, body: Any = None, *, secret: str | None = None
    ) -> httpx.Response:
        response = self._exchange(method, path, body)
        if response.is_success:
            return response
        raise self._refusal(response, what, secret)

    def _exchange(self, method: str, path: str, body: Any) -> httpx.Response:
        # The cookie is sent back as it came: a cookie jar would drop its quotes.
        headers = {"Cookie": f"{COOKIE_NAME}={self.cookie}"} if self.cookie else {}
        if method != "GET":
            # A gateway that answers twice must not have its second answer taken for that to the next request.
            headers["Connection"] = "close"
        try:
            return self._http.request(method, path, json=body, headers=headers)
        except _NEVER_SENT as error:
            raise self._unreachable(error) from error
        except httpx.TimeoutException as error:
            raise self._lost(f"did not answer within {self._timeout_s:g} s", may_come_later=True) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._lost("broke off in the middle of its answer", may_come_later=False) from error

    def _decoded(self, response: httpx.Response, decode: Callable[[Any], Decoded]) -> Decoded:
        try:
            return decode(json.loads(response.content))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            # The original would quote the answer, which may hold a secret.
            raise self._lost("answered with something unreadable", may_come_later=False) from None

    def _lost(self, what: str, *, may_come_later: bool) -> AnswerLostError:
        return AnswerLostError(
            f"The backend at {self.base_url} {what}.",
            may_come_later=may_come_later,
            hint="Check that this is the dispenser's backend and that it is well.",
        )

    def _unreachable(self, error: Exception) -> BackendUnreachableError:
        return BackendUnreachableError(
            f"The backend at {self.base_url} cannot be reached: {_reason(error)}.",
            hint="Start it (dispctl backend serve) or give the right address with --backend or DISPCTL_BACKEND.",
        )

    def _refusal(
        self, response: httpx.Response, what: str, secret: str | None
    ) -> BackendRefusedError | AnswerLostError:
        status = response.status_code
        if status in (httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT):
            return self._lost(f"is behind a gateway that got no answer (HTTP {status})", may_come_later=True)
        if status == httpx.codes.UNAUTHORIZED:
            return self._unauthorized(logging_in=secret is not None)
        if response.is_redirect:
            target = httpx.URL(response.headers.get("location", "")).copy_with(query=None, userinfo=b"")
            return BackendRefusedError(
                f"The backend at {self.base_url} has moved to {target}.",
                status=status,
                hint="Give that address with --backend.",
            )
        detail = _detail(response)
        if secret:
            detail = detail.replace(secret, "…")
        verb = "failed over" if response.is_server_error else "refuses"
        hint = _CONFLICT_HINT if status == httpx.codes.CONFLICT else None
        return BackendRefusedError(f"The backend {verb} {what}: {detail}.", status=status, hint=hint)

    def _unauthorized(self, *, logging_in: bool) -> BackendRefusedError:
        if logging_in:
            return BackendRefusedError(
                f"The backend at {self.base_url} does not accept this name and password.",
                status=httpx.codes.UNAUTHORIZED,
                hint="Try again, or create the operator with dispctl login --register.",
            )
        said = "The session has ended" if self.cookie else "You are not logged in"
        return BackendRefusedError(
            f"{said} at {self.base_url}.",
            status=httpx.codes.UNAUTHORIZED,
            hint="Log in first: dispctl login.",
        )


def _jars(answer: Any) -> list[Jar]:
    return sorted((Jar.from_wire(each) for each in answer), key=lambda jar: jar.number)


def _active_id(answer: Any) -> int | None:
    active = answer["active"]
    return None if active is None else int(active["id"])


def _session_cookie(response: httpx.Response) -> str:
    for header in response.headers.get_list("set-cookie"):
        name, _, value = header.partition(";")[0].strip().partition("=")
        if name == COOKIE_NAME and value:
            return str(value)
    raise AnswerLostError(
        "The backend accepted the login and gave no session.",
        may_come_later=False,
        hint="Check that this is the dispenser's backend.",
    )


def _detail(response: httpx.Response) -> str:
    """The backend's own sentence, without the values it repeats; 422 has FastAPI's list."""
    try:
        detail = json.loads(response.content)["detail"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return f"HTTP {response.status_code}"
    if isinstance(detail, list):
        detail = "; ".join(_field_problem(each) for each in detail)
    sentence = " ".join(str(detail).split()).rstrip(".")
    return sentence[:_LONGEST_DETAIL] or f"HTTP {response.status_code}"


def _field_problem(problem: Any) -> str:
    if not isinstance(problem, dict):
        return "a field is not valid"
    place = ".".join(str(part) for part in problem.get("loc", ()) if part != "body")
    return f"{place}: {problem.get('msg', 'not valid')}" if place else str(problem.get("msg", "not valid"))


def _reason(error: Exception) -> str:
    return reason_of(TimeoutError() if isinstance(error, httpx.ConnectTimeout) else error)
