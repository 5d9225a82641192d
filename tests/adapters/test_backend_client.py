"""What goes over the wire, and what every kind of bad answer becomes."""

from __future__ import annotations

import json
import socket
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispctl.adapters.backend_client import AnswerLostError, BackendClient
from dispctl.adapters.backend_records import Ingredient, Jar, JobItem, RecipeDraft
from dispctl.errors import BackendRefusedError, BackendUnreachableError, DispctlError, UsageError
from tests.operations.kitchen import answering

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS = "http://backend.test"
PASSWORD = "muito-secreto-1"
COOKIE = 'Bearer ey.J0 "x"'
JOB = {
    "id": 7, "status": "partial_success", "receita_id": 3, "pessoas_solicitadas": 4, "multiplicador": 1,
    "created_at": "2026-01-01T00:00:00Z", "started_at": None, "finished_at": None, "erro_msg": None,
    "itens": [
        {"id": 22, "ordem": 2, "frasco": 3, "tempero": "Cominho", "quantidade_g": 5, "segundos": 2.5, "status": "failed"},
        {"id": 21, "ordem": 1, "frasco": 1, "tempero": "Sal", "quantidade_g": 10.0, "segundos": 5.0, "status": "done"},
    ],
}  # fmt: skip
UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")
UNTRUSTED.verify_message = "self-signed"


class Recorder:
    """Answers every request alike and keeps what was asked."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def client(self, cookie: str | None = COOKIE) -> BackendClient:
        return BackendClient(ADDRESS, cookie=cookie, transport=httpx.MockTransport(self))


def said(status: int = 200, **kinds: Any) -> Recorder:
    return Recorder(httpx.Response(status, **kinds))


def test_login_keeps_the_cookie_as_it_came_and_sends_it_back() -> None:
    recorder = said(
        json={"id": 1, "nome": "ana"}, headers={"set-cookie": f"access_token={COOKIE}; HttpOnly; Path=/"}
    )
    with recorder.client(cookie=None) as client:
        assert client.login("ana", PASSWORD).name == "ana"
        client.me()
    assert json.loads(recorder.requests[0].content) == {"nome": "ana", "senha": PASSWORD}
    assert "cookie" not in recorder.requests[0].headers
    assert recorder.requests[1].headers.get_list("cookie") == [f"access_token={COOKIE}"]


def test_a_job_is_read_in_the_order_of_its_steps_and_both_spellings_are_one() -> None:
    job = said(json=JOB).client().job(7)
    assert (job.status, job.ended, job.recipe_id, job.people) == ("done_partial", True, 3, 4)
    assert job.items[0] == JobItem(1, 1, "Sal", 10.0, 5.0, "done")
    assert [item.position for item in job.items] == [1, 2]


@pytest.mark.parametrize(
    ("call", "method", "path", "body"),
    [
        (lambda c: c.create_job(3, 4), "POST", "/jobs", {"receita_id": 3, "pessoas_solicitadas": 4}),
        (
            lambda c: c.set_jars([Jar(1, "Sal", 2.0, None)]),
            "PUT",
            "/config/robo",
            [{"frasco": 1, "rotulo": "Sal", "g_por_seg": 2.0, "estoque_g": None}],
        ),
        (
            lambda c: c.create_recipe(RecipeDraft("Curry", 4, (Ingredient("Sal", 2.5),))),
            "POST",
            "/receitas/",
            {"nome": "Curry", "porcoes": 4, "ingredientes": [{"tempero": "Sal", "quantidade": 2.5}]},
        ),
    ],
)
def test_bodies_are_the_contracts(
    call: Callable[[BackendClient], Any], method: str, path: str, body: Any
) -> None:
    recorder = said(500)
    with pytest.raises(BackendRefusedError):
        call(recorder.client())
    request = recorder.requests[0]
    assert (request.method, request.url.path, json.loads(request.content)) == (method, path, body)


@pytest.mark.parametrize(("answer", "expected"), [({"active": None}, None), ({"active": {"id": 9}}, 9)])
def test_the_active_job(answer: Any, expected: int | None) -> None:
    assert said(json=answer).client().active_job_id() == expected


def test_a_claim_code_stays_out_of_its_own_description() -> None:
    code = said(json={"code": "123456", "expires_at": "2026-01-01T00:00:00Z"}).client().new_claim_code()
    assert code.code == "123456"
    assert "123456" not in repr(code)


@pytest.mark.parametrize("cookie", [None, COOKIE])
def test_without_a_session_the_hint_is_to_log_in(cookie: str | None) -> None:
    with pytest.raises(BackendRefusedError) as caught:
        said(401, json={"detail": "Not authenticated"}).client(cookie).jars()
    assert caught.value.hint == "Log in first: dispctl login."
    assert caught.value.status == 401


def test_a_wrong_password_is_told_apart_from_an_ended_session() -> None:
    with pytest.raises(BackendRefusedError, match="does not accept this name and password"):
        said(401).client(None).login("ana", PASSWORD)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            httpx.Response(409, json={"detail": "Outro job ativo."}),
            "The backend refuses the job: Outro job ativo.",
        ),
        (
            httpx.Response(
                422, json={"detail": [{"loc": ["body", "receita_id"], "msg": "too big", "input": "s3cret"}]}
            ),
            "The backend refuses the job: receita_id: too big.",
        ),
        (httpx.Response(500, text="<html>"), "The backend failed over the job: HTTP 500."),
        (httpx.Response(404, json=["odd"]), "The backend refuses the job: HTTP 404."),
        (
            httpx.Response(307, headers={"location": "https://u:p@new.test/jobs?token=1"}),
            "The backend at http://backend.test has moved to https://new.test/jobs.",
        ),
    ],
)
def test_a_refusal_is_one_sentence(answer: httpx.Response, sentence: str) -> None:
    with pytest.raises(BackendRefusedError) as caught:
        Recorder(answer).client().create_job(1, 1)
    assert caught.value.message == sentence
    assert caught.value.status == answer.status_code


@pytest.mark.parametrize("call", ["login", "register"])
def test_a_password_that_the_backend_repeats_is_not_shown(call: str) -> None:
    client = said(400, json={"detail": f"{PASSWORD} is too weak"}).client(None)
    with pytest.raises(BackendRefusedError) as caught:
        getattr(client, call)("ana", PASSWORD)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "may_come_later"),
    [
        (httpx.ReadTimeout("t"), True),
        (httpx.Response(504), True),
        (httpx.Response(502), True),
        (httpx.RemoteProtocolError("closed"), False),
        (httpx.ReadError("reset"), False),
        (httpx.Response(201, content=b'{"id": 7, "sta'), False),
        (httpx.Response(201, json=[1]), False),
        (httpx.Response(201, json={"id": None}), False),
        (httpx.Response(201, json={**JOB, "itens": [{**JOB["itens"][0], "segundos": "NaN"}]}), False),  # type: ignore[index]
    ],
)
def test_an_answer_that_says_nothing_leaves_the_effect_open(
    answer: httpx.Response | Exception, *, may_come_later: bool
) -> None:
    with pytest.raises(AnswerLostError) as caught:
        Recorder(answer).client().create_job(1, 1)
    assert caught.value.may_come_later is may_come_later


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ConnectionRefusedError(), "nothing listens there"),
        (socket.gaierror(-2, "Name or service not known"), "its name is not known here"),
        (UNTRUSTED, r"its certificate is not trusted \(self-signed\)"),
    ],
)
def test_why_a_backend_cannot_be_reached_is_said_in_words(cause: Exception, words: str) -> None:
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = cause
    with pytest.raises(BackendUnreachableError, match=words) as caught:
        Recorder(error).client().jars()
    assert not isinstance(caught.value, AnswerLostError)


def test_a_real_port_without_a_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        BackendClient(f"http://127.0.0.1:{port}") as client,
        pytest.raises(BackendUnreachableError, match="nothing listens"),
    ):
        client.jars()


@pytest.mark.parametrize(
    "address",
    ["", "backend", "ftp://x", "http://", "http://a:b@x", "http://x:99999", "http://x?y=1", "http://[1"],
)
def test_what_is_no_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        BackendClient(address)
    assert "a:b" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://Backend.test:80/", "http://backend.test", " http://BACKEND.test/ "]
)
def test_one_backend_has_one_address(address: str) -> None:
    with BackendClient(address) as client:
        assert client.base_url == ADDRESS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "itens", "status", "active", "devices", "nome", "frasco", "detail", "code"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(
    status=st.sampled_from([200, 201, 204, 301, 400, 401, 409, 422, 500, 502]),
    answer=JSON,
    raw=st.none() | st.binary(max_size=20),
)
def test_no_answer_makes_a_traceback(status: int, answer: Any, raw: bytes | None) -> None:
    content = json.dumps(answer).encode() if raw is None else raw
    with said(status, content=content).client() as client:
        for call in (
            client.jars,
            client.recipes,
            client.devices,
            client.active_job_id,
            lambda: client.job(1),
            client.me,
        ):
            assert refusal(call).endswith(".")


def refusal(call: Callable[[], object]) -> str:
    """What the expected failure says; a full stop where the call went well."""
    try:
        call()
    except DispctlError as error:
        return error.message
    return "."


def test_the_answer_to_another_request_is_not_taken_for_this_ones() -> None:
    job = {"id": 8, "status": "done", "itens": [], "receita_id": 1, "pessoas_solicitadas": 1}
    with pytest.raises(AnswerLostError, match="unreadable"):
        answering(lambda _: httpx.Response(200, json=job)).job(7)


@pytest.mark.parametrize(("method", "kept"), [("GET", False), ("POST", True)])
def test_a_connection_that_changed_something_is_not_used_again(method: str, *, kept: bool) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    client = answering(answer)
    client.logout() if method == "POST" else client._call("GET", "/x", "x")
    assert (asked[0].headers.get("Connection") == "close") is kept
