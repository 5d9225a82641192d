"""What holds for every call: malformed requests, sizes, and the description of it all."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispctl.backend.app import LARGEST_BODY
from tests.backend.actors import Board, Clock, Cook, accepted
from tests.backend.asgi import Client

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = {
    "/auth/register": ("nome", "senha"),
    "/auth/login": ("nome", "senha"),
    "/receitas/": ("nome", "porcoes", "ingredientes"),
    "/jobs": ("receita_id", "pessoas_solicitadas", "multiplicador"),
    "/devices/claim": ("uid", "claim_code", "fw_version", "mac"),
    "/devices/me/heartbeat": ("fw_version", "status"),
    "/devices/me/jobs/1/complete": ("itens_completados", "itens_falhados", "execution_logs"),
    "/devices/me/jobs/1/status": ("status", "error"),
}
bodies = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda path: st.tuples(
        st.just(path), anything | st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[path], anything))
    )
)


def test_the_time_is_the_backends(client: Client, clock: Clock) -> None:
    assert accepted(client.get("/time")) == {"utc": clock.now.isoformat().replace("+00:00", "Z")}


def test_a_malformed_request_gets_fastapis_list_without_what_was_sent(client: Client) -> None:
    response = client.post("/auth/login", json={"nome": 7, "senha": ["my password"]})

    assert response.status_code == 422
    assert [finding["loc"] for finding in response.json()["detail"]] == [["body", "nome"], ["body", "senha"]]
    assert "my password" not in response.text


@pytest.mark.parametrize(
    "text", ["", "{", "nonsense", "\x00", b"\xff", '{"nome": "\\ud800", "senha": "x"}', "[" * 100_000]
)
def test_what_is_no_json_is_malformed(client: Client, text: str | bytes) -> None:
    response = client.post("/auth/login", content=text, headers={"Content-Type": "application/json"})

    assert response.status_code == 422
    assert [set(finding) for finding in response.json()["detail"]] == [{"type", "loc", "msg"}]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-0.1"])
def test_numbers_that_are_none_are_malformed(cook: Cook, number: str) -> None:
    text = f'[{{"frasco": 1, "rotulo": "Sal", "g_por_seg": 2, "estoque_g": {number}}}]'

    response = cook.client.put("/config/robo", content=text, headers={"Content-Type": "application/json"})

    assert response.status_code == 422
    assert cook.stock_g()[1] == 100.0


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(bodies)
def test_no_body_breaks_the_backend(cook: Cook, board: Board, case: tuple[str, Any]) -> None:
    path, body = case
    text = json.dumps(body)

    response = cook.client.post(
        path, content=text, headers={**board.headers, "Content-Type": "application/json"}
    )

    assert response.status_code < 500, response.text
    assert response.is_success or "detail" in response.json()


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_all_measure_is_refused(cook: Cook, board: Board, announced: bool) -> None:
    text = json.dumps({"status": {"padding": "x" * LARGEST_BODY}}).encode()
    content = text if announced else (text[place : place + 4096] for place in range(0, len(text), 4096))

    response = board.client.post("/devices/me/heartbeat", content=content, headers=board.headers)

    assert response.status_code == 413
    assert response.json() == {"detail": f"The body is larger than {LARGEST_BODY} bytes."}


def test_an_unknown_path_and_method_say_so(client: Client) -> None:
    assert client.get("/nowhere").json() == {"detail": "Not Found"}
    assert client.delete("/time").json() == {"detail": "Method Not Allowed"}


def test_the_description_names_every_call_of_the_contract(client: Client) -> None:
    paths = accepted(client.get("/openapi.json"))["paths"]

    assert {(method, path) for path, methods in paths.items() for method in methods} == {
        *{("post", f"/auth/{call}") for call in ("register", "login", "logout")},
        ("get", "/auth/me"),
        *{(method, f"/config/{what}") for method in ("get", "put") for what in ("robo", "motor")},
        *{(method, "/receitas/") for method in ("get", "post")},
        *{(method, "/receitas/{recipe_id}") for method in ("get", "put", "delete")},
        *{("get", "/catalogo/temperos"), ("get", "/time"), ("get", "/healthz"), ("get", "/metrics")},
        *{
            ("post", "/jobs"),
            ("get", "/jobs/active"),
            ("post", "/jobs/active/cancel"),
            ("get", "/jobs/{job_id}"),
        },
        *{("post", "/devices/claims"), ("get", "/devices"), ("delete", "/devices/{device_id}")},
        *{("post", "/devices/claim"), ("post", "/devices/me/heartbeat"), ("get", "/devices/me/next_job")},
        *{("post", f"/devices/me/jobs/{{job_id}}/{call}") for call in ("complete", "status")},
    }


def test_settings_do_not_show_the_secret(app: FastAPI) -> None:
    assert "sss" not in repr(app.state.services)
