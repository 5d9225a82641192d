"""No other site, and nobody without the session's own token, can send a form."""

import re
from typing import Any

import pytest

from dispctl.backend.page.forms import MOST_FIELDS
from dispctl.backend.page.router import router
from tests.backend.actors import Board, Cook, accepted
from tests.backend.page.visitor import ORIGIN, Page, Visitor, went_to

OUTDATED = "This form is out of date. Load the page again and send it once more."
ANYBODYS = {"/page/sign-in", "/page/register", "/page/language"}


def posts(routes: Any) -> set[str]:
    """The paths of all forms."""
    found = set()
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if inner is not None:
            found |= posts(inner.routes)
        elif "POST" in getattr(route, "methods", ()):
            found.add(route.path)
    return found


FORMS = posts(router.routes)
OPERATORS = FORMS - ANYBODYS


def path_of(form: str) -> str:
    return re.sub(r"{\w+}", "1", form)


def everything(cook: Cook) -> list[Any]:
    """All that a form could change."""
    return [
        accepted(cook.client.get(path))
        for path in ("/config/robo", "/receitas/", "/jobs/1", "/jobs/active", "/devices", "/auth/me")
    ]


def test_the_forms_are_all_known() -> None:
    assert (
        ANYBODYS
        | {
            *{"/page/sign-out", "/page/jars", "/page/recipes/new", "/page/recipes/{recipe_id}"},
            *{"/page/recipes/{recipe_id}/delete", "/page/recipes/{recipe_id}/send"},
            *{"/page/jobs/{job_id}/cancel", "/page/jobs/{job_id}/retry"},
            *{"/page/boards/claim", "/page/boards/{device_id}/forget"},
        }
        == FORMS
    )


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.example", "http://testserver.evil.example", "http://testserver:81"],
)
def test_a_form_from_elsewhere_is_refused(ana: Visitor, cook: Cook, board: Board, origin: str | None) -> None:
    cook.queue_job()
    before = everything(cook)
    token = ana.see("/").fields()["token"]

    for form in sorted(FORMS):
        page = Page(ana.send(path_of(form), origin=origin, token=token, name="Bia", password="x", people="4"))
        assert (page.status, page.alert) == (403, OUTDATED), form
    assert everything(cook) == before


def test_a_form_needs_the_token_of_its_own_session(ana: Visitor, cook: Cook, board: Board) -> None:
    cook.queue_job()
    before = everything(cook)
    token = ana.see("/").fields()["token"]

    for form in sorted(OPERATORS):
        for wrong in ({}, {"token": ""}, {"token": token[:-1]}, {"token": "é"}):
            page = Page(ana.send(path_of(form), people="4", **wrong))
            assert (page.status, page.alert) == (403, OUTDATED), form
    assert everything(cook) == before


def test_another_sessions_token_is_refused(ana: Visitor, visitor: Visitor) -> None:
    credentials = {"name": "Bia", "password": "her own"}
    went_to(visitor.send("/page/register", **credentials))
    mine, hers = (who.see("/").fields()["token"] for who in (ana, visitor))

    assert mine != hers
    assert visitor.send("/page/boards/claim", token=mine).status_code == 403
    went_to(visitor.send("/page/boards/claim", token=hers))

    went_to(visitor.send("/page/sign-out", token=hers))
    went_to(visitor.send("/page/sign-in", **credentials))
    assert visitor.send("/page/boards/claim", token=hers).status_code == 403


def test_a_stranger_is_led_to_the_sign_in(visitor: Visitor) -> None:
    for form in sorted(OPERATORS):
        assert went_to(visitor.send(path_of(form))) == "/page/sign-in"


def test_other_bodies_than_forms_are_no_forms(ana: Visitor) -> None:
    headers = {"Origin": ORIGIN, "Content-Type": "application/json"}
    token = ana.see("/").fields()["token"]

    for body in (b'{"token": "%s"}' % token.encode(), b"\xff\xfe", b"&" * 50, b"a=1&" * (MOST_FIELDS + 1)):
        answer = ana.client.post("/page/boards/claim", content=body, headers=headers)
        assert answer.status_code == 403
