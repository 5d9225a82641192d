"""Signing in and out, making an account, choosing a language."""

import pytest

from dispctl.backend.dependencies import COOKIE
from tests.backend.actors import PASSWORD, Clock, accepted
from tests.backend.page.visitor import Page, Visitor, went_to


def registered(visitor: Visitor) -> Visitor:
    accepted(visitor.client.post("/auth/register", json={"nome": "Bia", "senha": PASSWORD}))
    return visitor


def test_every_page_leads_a_stranger_to_the_sign_in(visitor: Visitor) -> None:
    for path in (
        "",
        "page/jars",
        "page/recipes",
        "page/recipes/new",
        "page/boards",
        "page/jobs",
        "page/jobs/1",
    ):
        assert went_to(visitor.get(f"/{path}")) == "/page/sign-in"


def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_do_not_get(visitor: Visitor) -> None:
    answer = registered(visitor).submit("/page/sign-in", at="/page/sign-in", name=" bia ", password=PASSWORD)

    assert went_to(answer) == "/"
    assert answer.headers["set-cookie"].startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=lax"} <= set(answer.headers["set-cookie"].split("; "))
    assert "Bia" in visitor.see("/").text


def test_over_https_the_cookie_is_for_https_alone(visitor: Visitor) -> None:
    registered(visitor).client.base_url = "https://testserver"

    answer = visitor.send("/page/sign-in", origin="https://testserver", name="Bia", password=PASSWORD)

    assert "Secure" in answer.headers["set-cookie"].split("; ")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "Name or password is wrong."), ("pt-BR", "Nome ou senha incorretos.")],
)
def test_a_wrong_password_is_said_in_the_visitors_language_and_the_name_stays(
    visitor: Visitor, language: str, sentence: str
) -> None:
    registered(visitor).language = language

    answer = visitor.send("/page/sign-in", name="Bia", password="wrong horse")

    page = Page(answer)
    assert page.status == 401
    assert page.alert == sentence
    assert page.fields()["name"] == "Bia"
    assert "wrong horse" not in answer.text


def test_a_missing_name_or_password_is_asked_for(visitor: Visitor) -> None:
    for path in ("/page/sign-in", "/page/register"):
        page = Page(visitor.send(path, name=" ", password=""))
        assert (page.status, page.alert) == (422, "A name and a password are needed.")


def test_guessing_is_limited_and_the_browser_is_told_for_how_long(visitor: Visitor) -> None:
    registered(visitor)
    for _ in range(10):
        assert visitor.send("/page/sign-in", name="Bia", password="guess").status_code == 401

    answer = visitor.send("/page/sign-in", name="Bia", password=PASSWORD)

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert Page(answer).alert == "Too many attempts; try again later."


def test_a_new_account_is_signed_in_at_once(visitor: Visitor) -> None:
    answer = visitor.submit("/page/register", at="/page/register", name="Caio", password=PASSWORD)

    assert went_to(answer) == "/"
    assert "Caio" in visitor.see("/").text


def test_a_name_that_is_taken_is_refused(visitor: Visitor) -> None:
    answer = registered(visitor).send("/page/register", name="BIA", password="another one")

    assert answer.status_code == 400
    assert Page(answer).alert == "This name is taken."


def test_signing_out_ends_the_session_wherever_its_cookie_was_copied_to(
    ana: Visitor, visitor: Visitor
) -> None:
    copied = ana.client.cookies[COOKIE]

    assert went_to(ana.submit("/page/sign-out")) == "/page/sign-in"

    assert went_to(ana.get("/")) == "/page/sign-in"
    visitor.client.cookies.set(COOKIE, copied)
    assert went_to(visitor.get("/")) == "/page/sign-in"


def test_a_session_that_has_expired_leads_to_the_sign_in(ana: Visitor, clock: Clock) -> None:
    form = ana.see("/page/jars").fields()
    clock.advance(days=8)

    assert went_to(ana.get("/")) == "/page/sign-in"
    assert went_to(ana.send("/page/jars", **form)) == "/page/sign-in"


def test_the_language_is_the_browsers_until_another_is_chosen(ana: Visitor) -> None:
    ana.language = "pt-BR,pt;q=0.9,en;q=0.5"
    assert ana.see("/page/jars").one("html").attributes["lang"] == "pt-BR"

    answer = ana.send("/page/language", language="en", back="/page/jars")

    assert went_to(answer) == "/page/jars"
    assert "HttpOnly" in answer.headers["set-cookie"]
    page = ana.see("/page/jars")
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("h1").text == "Jars"


def test_choosing_a_language_leads_nowhere_else(visitor: Visitor) -> None:
    for back in ("https://evil.example/", "//evil.example", "/\\evil", "javascript:1", "/page/x\r\ny", ""):
        assert went_to(visitor.send("/page/language", language="xx", back=back)) == "/"
