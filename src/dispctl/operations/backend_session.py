"""Log in, log out, and open the backend with the session that is kept; knows nothing of the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters import session_file
from dispctl.adapters.backend_address import normalized
from dispctl.adapters.backend_client import BackendClient
from dispctl.adapters.job_journal import JobJournal
from dispctl.adapters.session_file import Session
from dispctl.errors import BackendRefusedError, BackendUnreachableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispctl.adapters.backend_records import Operator

UNAUTHORIZED = 401


@dataclass(frozen=True)
class Registered:
    """The operator was created."""

    operator: Operator


@dataclass(frozen=True)
class LoggedIn:
    """The session is kept."""

    operator: Operator
    backend: str


@dataclass(frozen=True)
class LoggedOut:
    """The session is forgotten here; `at_backend` says whether the backend has ended it too."""

    backend: str
    was_logged_in: bool
    at_backend: bool


def open_backend(backend: str) -> BackendClient:
    """A client with the kept session; raises `BackendRefusedError` (401) where nobody is logged in."""
    return BackendClient(backend, cookie=_session(backend).cookie)


def open_journal(backend: str) -> JobJournal:
    """What is known here of the logged-in operator's jobs; raises as `open_backend`."""
    return JobJournal.of(backend, _session(backend).operator)


def log_in(
    client: BackendClient, name: str, password: str, *, register: bool
) -> Iterator[Registered | LoggedIn]:
    """Log in, with `register` after creating the operator, and keep the session."""
    if not name.strip() or not password:
        raise UsageError("A name and a password are needed, and neither may be empty.")
    if register:
        yield Registered(client.register(name, password))
    operator = client.login(name, password)
    if client.cookie is not None:
        session_file.save_session(client.base_url, Session(operator.name, client.cookie))
    yield LoggedIn(operator, client.base_url)


def log_out(backend: str) -> LoggedOut:
    """End the session on both sides; a backend that does not answer cannot keep it alive here."""
    session = session_file.load_session(backend)
    if session is None:
        return LoggedOut(normalized(backend), was_logged_in=False, at_backend=False)
    at_backend = True
    try:
        with BackendClient(backend, cookie=session.cookie) as client:
            client.logout()
    except BackendUnreachableError:
        at_backend = False
    except BackendRefusedError as error:
        at_backend = error.status == UNAUTHORIZED
    finally:
        session_file.remove_session(backend)
    return LoggedOut(normalized(backend), was_logged_in=True, at_backend=at_backend)


def _session(backend: str) -> Session:
    session = session_file.load_session(backend)
    if session is None:
        raise BackendRefusedError(
            f"You are not logged in at {normalized(backend)}.",
            status=UNAUTHORIZED,
            hint="Log in first: dispctl login.",
        )
    return session
