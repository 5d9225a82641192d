"""Registering, signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from dispctl.backend.dependencies import (
    COOKIE,
    Backend,
    CurrentOperator,
    Network,
    Services,
    SessionCookie,
    refuses,
)
from dispctl.backend.refusals import NotSignedInError
from dispctl.backend.schemas.accounts import Credentials, OperatorView
from dispctl.backend.schemas.fields import Detail
from dispctl.backend.store import attempts, operators
from dispctl.backend.store.tables import Operator

router = APIRouter(prefix="/auth", tags=["operators"])


@router.post("/register", status_code=201, responses=refuses(400))
def register(body: Credentials, services: Backend) -> OperatorView:
    """Make an operator; does not sign in."""
    password_hash = services.passwords.hash(body.senha)
    with services.database.write() as session:
        operator = operators.add(session, body.nome, password_hash, services.now())
        return OperatorView(id=operator.id, nome=operator.name)


async def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"


@router.post("/login", responses=refuses(401, 429))
def login(
    body: Credentials,
    response: Response,
    services: Backend,
    network: Network,
    secure: Annotated[bool, Depends(_is_https)],
) -> OperatorView:
    """Sign in: sets the cookie ``access_token`` for seven days."""
    operator = _checked(services, body, network)
    expires = services.now() + services.settings.session_lasts
    with services.database.write() as session:
        session_id = operators.sign_in(session, operator.id, now=services.now(), expires=expires)
    cookie = services.signer.sign(session_id, operator_id=operator.id, issued=services.now(), expires=expires)
    lasts_s = int(services.settings.session_lasts.total_seconds())
    response.set_cookie(COOKIE, cookie, max_age=lasts_s, httponly=True, samesite="lax", secure=secure)
    return OperatorView(id=operator.id, nome=operator.name)


@router.post("/logout")
def logout(response: Response, services: Backend, cookie: SessionCookie) -> Detail:
    """Sign out: the session ends here, and the cookie goes; fine too when there is none any more."""
    session_id = services.signer.session_id(cookie)
    if session_id is not None:
        with services.database.write() as session:
            operators.sign_out(session, session_id)
    if cookie is not None:
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return Detail(detail="ok")


@router.get("/me", responses=refuses(401))
def me(operator: CurrentOperator) -> OperatorView:
    """Who is signed in."""
    return OperatorView(id=operator.id, nome=operator.name)


def _checked(services: Services, body: Credentials, network: str) -> Operator:
    """The operator whose name and password these are; a wrong guess stays counted, a right one does not."""
    settings, now = services.settings, services.now()
    by_name, by_network = f"login {network} {body.nome.casefold()}", f"login {network}"
    with services.database.write() as session:
        window = settings.attempts_window
        attempts.take(session, by_network, limit=settings.login_attempts_per_address, window=window, now=now)
        attempts.take(session, by_name, limit=settings.login_attempts, window=window, now=now)
        operator = operators.named(session, body.nome)
    encoded = operator.password_hash if operator else None
    if not services.passwords.matches(encoded, body.senha) or operator is None:
        raise NotSignedInError("Name or password is wrong.")
    with services.database.write() as session:
        attempts.give_back(session, by_network)
        attempts.forget(session, by_name)
    return operator
