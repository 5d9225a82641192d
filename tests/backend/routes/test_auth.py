"""Registering, signing in and out."""

from collections.abc import Callable

import httpx
import jwt
import pytest

from tests.backend.actors import PASSWORD, Clock, Cook
from tests.backend.asgi import Client
from tests.backend.conftest import ON_BOTH, ClientMaker, CookMaker

pytestmark = ON_BOTH


def sign_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/auth/login", json={"nome": name, "senha": password})


def test_registering_answers_id_and_name_and_does_not_sign_in(client: Client) -> None:
    response = client.post("/auth/register", json={"nome": " Ana ", "senha": PASSWORD})

    assert response.status_code == 201
    assert response.json() == {"id": 1, "nome": "Ana"}
    assert client.get("/auth/me").status_code == 401


def test_a_name_is_taken_whatever_its_case(client: Client) -> None:
    client.post("/auth/register", json={"nome": "Íris", "senha": PASSWORD})

    response = client.post("/auth/register", json={"nome": "íRIS", "senha": "other"})

    assert (response.status_code, response.json()) == (400, {"detail": "This name is taken."})


def test_login_sets_a_cookie_for_seven_days_that_scripts_cannot_read(cook: Cook) -> None:
    response = sign_in(cook.client, "ana")

    assert response.json() == {"id": 1, "nome": "Ana"}
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("access_token=")
    for attribute in ("HttpOnly", "Max-Age=604800", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_travels_over_https_alone(new_client: ClientMaker, cook: Cook) -> None:
    response = sign_in(new_client("https://testserver"), "Ana")

    assert "Secure" in response.headers["set-cookie"]


@pytest.mark.parametrize(("name", "password"), [("Ana", "wrong"), ("Nobody", PASSWORD)])
def test_a_wrong_name_or_password_is_told_apart_by_nothing(cook: Cook, name: str, password: str) -> None:
    response = sign_in(cook.client, name, password)

    assert (response.status_code, response.json()) == (401, {"detail": "Name or password is wrong."})


def test_signing_out_ends_the_session_wherever_its_cookie_was_copied_to(
    new_client: ClientMaker, cook: Cook
) -> None:
    copy = new_client()
    copy.cookies = cook.client.cookies
    assert copy.get("/auth/me").status_code == 200

    assert cook.client.post("/auth/logout").json() == {"detail": "ok"}

    assert "access_token" not in cook.client.cookies
    assert copy.get("/auth/me").status_code == 401


def test_signing_out_twice_is_fine(cook: Cook) -> None:
    for _ in range(2):
        assert cook.client.post("/auth/logout").status_code == 200


def test_signing_out_leaves_the_operators_other_sessions(new_client: ClientMaker, cook: Cook) -> None:
    other = new_client()
    sign_in(other, "Ana")

    cook.client.post("/auth/logout")

    assert other.get("/auth/me").json()["nome"] == "Ana"


def test_a_session_ends_after_seven_days(cook: Cook, clock: Clock) -> None:
    clock.advance(days=6, hours=23)
    assert cook.client.get("/auth/me").status_code == 200
    clock.advance(hours=2)
    assert cook.client.get("/auth/me").status_code == 401


def test_a_forged_cookie_signs_nobody_in(new_client: ClientMaker, cook: Cook) -> None:
    claims = jwt.decode(cook.client.cookies["access_token"], options={"verify_signature": False})
    forged = jwt.encode(claims, b"x" * 32, algorithm="HS256")
    unsigned = jwt.encode(claims, "", algorithm="none")

    for cookie in (forged, unsigned, "", "a.b.c"):
        stranger = new_client()
        stranger.cookies.set("access_token", cookie)
        assert stranger.get("/auth/me").status_code == 401


def test_ten_wrong_passwords_shut_the_door_for_ten_minutes(cook: Cook, clock: Clock) -> None:
    for _ in range(10):
        assert sign_in(cook.client, "Ana", "guess").status_code == 401

    shut = sign_in(cook.client, "Ana")
    assert shut.status_code == 429
    assert 0 < int(shut.headers["Retry-After"]) <= 600

    clock.advance(minutes=10)
    assert sign_in(cook.client, "Ana").status_code == 200


def test_a_right_password_starts_the_count_afresh(cook: Cook) -> None:
    for _ in range(3):
        for _ in range(9):
            assert sign_in(cook.client, "Ana", "guess").status_code == 401
        assert sign_in(cook.client, "Ana").status_code == 200


def test_one_operators_wrong_passwords_do_not_shut_out_another(cook: Cook, new_cook: CookMaker) -> None:
    new_cook("Bia")
    for _ in range(11):
        sign_in(cook.client, "Ana", "guess")

    assert sign_in(cook.client, "Bia").status_code == 200


def test_passwords_are_kept_as_argon2id_only(cook: Cook, everything_kept: Callable[[], str]) -> None:
    kept = everything_kept()

    assert PASSWORD not in kept
    assert "$argon2id$" in kept


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/config/robo"),
        ("PUT", "/config/robo"),
        ("GET", "/config/motor"),
        ("GET", "/receitas/"),
        ("DELETE", "/receitas/1"),
        ("GET", "/catalogo/temperos"),
        ("GET", "/jobs/1"),
        ("GET", "/jobs/active"),
        ("POST", "/jobs/active/cancel"),
        ("POST", "/devices/claims"),
        ("GET", "/devices"),
    ],
)
def test_the_operators_calls_need_a_cookie(client: Client, method: str, path: str) -> None:
    response = client.request(method, path)

    assert (response.status_code, response.json()) == (401, {"detail": "Not signed in."})
