"""Signing in and out, making an account, and choosing a language."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from dispctl.backend.dependencies import Backend, Network, SessionCookie
from dispctl.backend.page import language
from dispctl.backend.page.forms import Form, OperatorsForm, PublicForm
from dispctl.backend.page.refused import PageRoute
from dispctl.backend.page.rendering import HEADERS, PublicView, View
from dispctl.backend.refusals import NameTakenError, NotSignedInError, Refusal, TooManyAttemptsError
from dispctl.backend.routes import auth
from dispctl.backend.schemas.accounts import Credentials

YEAR_S = 365 * 24 * 3600
OWN_PATH = re.compile(r"/(page/[a-z0-9/-]*)?")

router = APIRouter(prefix="/page", route_class=PageRoute)


async def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"


Https = Annotated[bool, Depends(_is_https)]


@router.get("/sign-in")
async def sign_in_form(view: PublicView) -> Response:
    """The first page anybody sees."""
    return view.html("sign_in.html", name="", problem=None)


@router.post("/sign-in")
def sign_in(
    form: PublicForm, view: PublicView, services: Backend, network: Network, secure: Https
) -> Response:
    """Sign in, and go to the overview."""
    answer = _overview()
    try:
        auth.login(_credentials(form), answer, services, network, secure)
    except (ValidationError, NotSignedInError, TooManyAttemptsError) as error:
        return _again(view, "sign_in.html", form, error)
    return answer


@router.get("/register")
async def register_form(view: PublicView) -> Response:
    """The form for a new account."""
    return view.html("register.html", name="", problem=None)


@router.post("/register")
def register(
    form: PublicForm, view: PublicView, services: Backend, network: Network, secure: Https
) -> Response:
    """Make an account, sign in, and go to the overview."""
    answer = _overview()
    try:
        credentials = _credentials(form)
        auth.register(credentials, services)
        auth.login(credentials, answer, services, network, secure)
    except (ValidationError, NameTakenError, TooManyAttemptsError) as error:
        return _again(view, "register.html", form, error)
    return answer


@router.post("/sign-out")
def sign_out(_form: OperatorsForm, services: Backend, cookie: SessionCookie) -> Response:
    """End the session."""
    answer = RedirectResponse("/page/sign-in", 303, HEADERS)
    auth.logout(answer, services, cookie)
    return answer


@router.post("/language")
async def choose_language(form: PublicForm, secure: Https) -> Response:
    """Say everything in this language from now on, in this browser."""
    back = form.text("back")
    answer = RedirectResponse(back if OWN_PATH.fullmatch(back) else "/", 303, HEADERS)
    chosen = language.choose(form.text("language"), "")
    answer.set_cookie(language.COOKIE, chosen, max_age=YEAR_S, httponly=True, samesite="lax", secure=secure)
    return answer


def _overview() -> RedirectResponse:
    return RedirectResponse("/", 303, HEADERS)


def _credentials(form: Form) -> Credentials:
    """Raises `ValidationError`. The password is taken as it was typed, blanks and all."""
    return Credentials(nome=form.text("name"), senha=form.fields.get("password", ""))


def _again(view: View, template: str, form: Form, error: ValidationError | Refusal) -> Response:
    """The form once more, with what was wrong and the name that was typed."""
    name = form.text("name")
    if isinstance(error, Refusal):
        return view.html(
            template, status=error.status, headers=error.headers, name=name, problem=error.sentence
        )
    return view.html(template, status=422, name=name, problem="A name and a password are needed.")
