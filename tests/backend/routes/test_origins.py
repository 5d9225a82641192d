"""What a page of another origin has an operator's browser do: the operator's cookie does not count for it."""

import pytest

from tests.backend.actors import Board, Cook, accepted
from tests.backend.asgi import Client, Closed
from tests.backend.conftest import ON_BOTH

pytestmark = ON_BOTH

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver:3000"},
    {"Origin": "http://testserver:3000"},
    {"Origin": "http://elsewhere.example"},
    {"Origin": "null"},
]
OWN = [
    {},
    {"Origin": "http://testserver"},
    {"Sec-Fetch-Site": "none"},
    # A proxy may have changed the host; what the browser saw counts.
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://kitchen.example"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_origins_page_changes_nothing(cook: Cook, headers: dict[str, str]) -> None:
    job = cook.queue_job()

    for path in ("/jobs/active/cancel", "/devices/claims", "/auth/logout"):
        cook.client.post(path, headers=headers)
    refused = cook.client.post("/jobs/active/cancel", headers=headers)

    assert (refused.status_code, refused.json()) == (401, {"detail": "Not signed in."})
    assert cook.job(job["id"])["status"] == "queued"


@pytest.mark.parametrize("headers", OWN)
def test_its_own_page_and_programs_do(cook: Cook, headers: dict[str, str]) -> None:
    job = cook.queue_job()

    accepted(cook.client.post("/jobs/active/cancel", headers=headers))

    assert cook.job(job["id"])["status"] == "canceled"


@pytest.mark.parametrize("headers", FOREIGN)
def test_reading_is_left_to_the_browsers_same_origin_policy(cook: Cook, headers: dict[str, str]) -> None:
    answer = cook.client.get("/auth/me", headers=headers)

    assert accepted(answer)["nome"] == "Ana"
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_origins_page_hears_nothing_of_a_job(
    cook: Cook, board: Board, headers: dict[str, str]
) -> None:
    job = cook.queue_job()
    assert isinstance(cook.client, Client)
    lower = {name.lower(): value for name, value in headers.items()}

    with (
        cook.client.websocket(f"/ws/jobs/{job['id']}", lower) as socket,
        pytest.raises(Closed) as closed,
    ):
        socket.receive()

    assert closed.value.code == 4001
