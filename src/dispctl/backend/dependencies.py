"""What routes ask for: the services, the operator who is signed in, the board that calls."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from dispctl.backend.boards import Boards
from dispctl.backend.news import News
from dispctl.backend.origins import is_foreign
from dispctl.backend.refusals import NotSignedInError
from dispctl.backend.schemas.fields import Detail
from dispctl.backend.security import CookieSigner, Passwords, network_of
from dispctl.backend.settings import Settings
from dispctl.backend.store import devices, operators
from dispctl.backend.store.changes import ANYTHING, Change
from dispctl.backend.store.database import Database
from dispctl.backend.store.fleet import KnownBoard
from dispctl.backend.store.operators import SignedIn

COOKIE = "access_token"

_cookie_scheme = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by signing in.")
_token_scheme = HTTPBearer(auto_error=False, description="The device token from the claim.")


@dataclass
class Services:
    """What one running backend is made of. `news` wakes who waits for a job, `queues` the boards of an operator."""

    settings: Settings
    database: Database
    signer: CookieSigner
    passwords: Passwords = field(default_factory=Passwords)
    news: News = field(default_factory=News)
    queues: News = field(default_factory=News)
    boards: Boards = field(init=False)
    stopping: bool = False

    def __post_init__(self) -> None:
        self.boards = Boards(self.settings, self.database)

    def now(self) -> datetime:
        """The moment by the backend's clock, aware, in UTC."""
        return self.settings.clock()

    def start(self) -> None:
        """Begin to wake those who wait; to be called in the event loop."""
        self.news.start()
        self.queues.start()
        self.database.follow(self.tell)

    def stop_waiting(self) -> None:
        """Send the boards away that wait for a job: the backend is about to stop."""
        self.stopping = True
        self.queues.announce_all()

    def close(self) -> None:
        """Let threads and connections go."""
        self.boards.close()
        self.database.close()

    def tell(self, change: Change) -> None:
        """Wake those in this process who wait for what has changed."""
        if change == ANYTHING:
            self.news.announce_all()
            self.queues.announce_all()
            return
        self.queues.announce(change.operator_id)
        if change.job_id is not None:
            self.news.announce(change.job_id)


async def _services(connection: HTTPConnection) -> Services:
    services: Services = connection.app.state.services
    return services


Backend = Annotated[Services, Depends(_services)]


async def _network(request: Request) -> str:
    return network_of(request.client.host if request.client else None)


Network = Annotated[str, Depends(_network)]


async def _session_cookie(
    request: Request, cookie: Annotated[str | None, Depends(_cookie_scheme)]
) -> str | None:
    """The cookie; it does not count for what another origin's page has a browser do."""
    return None if is_foreign(request) else cookie


SessionCookie = Annotated[str | None, Depends(_session_cookie)]


def _operator(services: Backend, cookie: SessionCookie) -> SignedIn:
    with services.database.read() as session:
        return operators.signed_in(session, services.signer.session_id(cookie), services.now())


CurrentOperator = Annotated[SignedIn, Depends(_operator)]


async def _board(
    services: Backend, token: Annotated[HTTPAuthorizationCredentials | None, Depends(_token_scheme)]
) -> KnownBoard:
    board = await services.boards.with_token(token.credentials) if token else None
    if board is None:
        raise NotSignedInError(devices.UNKNOWN)
    return board


CurrentBoard = Annotated[KnownBoard, Depends(_board)]


def refuses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of a route's refusals."""
    return {status: {"model": Detail} for status in sorted({*statuses, 413, 503})}
