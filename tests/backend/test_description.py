"""The OpenAPI description and the backend agree, whatever is asked: no 5xx, no answer that is not described."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.backend.actors import Cook
from tests.backend.served import DEADLINE_S, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backend import postgres

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# They would end the session that the others are asked in.
WITHOUT_COOKIE = {"/auth/logout"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("described")
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("s" * 64)
    with ExitStack() as stack:
        database = f"sqlite:///{folder / 'backend.sqlite3'}"
        if request.param == "postgresql":
            server: postgres.Server = request.getfixturevalue("postgres_server")
            database = stack.enter_context(server.new_database())
        options = ("--port", "0", "--database", database, "--secret-file", str(secret))
        served = stack.enter_context(serving(*options))
        yield served.line().split()[1]


@pytest.fixture(scope="module")
def credentials(url: str) -> dict[str, str]:
    """The headers of a cook who has a job waiting, and of her board."""
    with httpx.Client(base_url=url, timeout=DEADLINE_S) as client:
        cook = Cook(client)
        cook.sign_in("Ana")
        cook.set_up_jars()
        board = cook.claim_board()
        cook.queue_job()
        return {**board.headers, "Cookie": f"access_token={client.cookies['access_token']}"}


def test_every_answer_is_a_described_one(
    url: str, credentials: dict[str, str], request: pytest.FixtureRequest
) -> None:
    examples: int = request.config.getoption("--examples")
    description: dict[str, Any] = httpx.get(f"{url}/openapi.json", timeout=DEADLINE_S).json()
    asked = set()
    for result in schemathesis.openapi.from_dict(description).get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        asked.add((operation.method, operation.path))
        ask(operation, url, {} if operation.path in WITHOUT_COOKIE else credentials, examples)

    assert len(asked) == sum(len(methods) for methods in description["paths"].values())


def ask(
    operation: schemathesis.APIOperation[Any, Any, Any, Any], url: str, headers: dict[str, str], examples: int
) -> None:
    """Make what the description allows, and what it does not, of one call."""
    modes = [GenerationMode.POSITIVE]
    if operation.body or list(operation.iter_parameters()):  # else there is nothing to get wrong
        modes.append(GenerationMode.NEGATIVE)

    @settings(
        max_examples=examples,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(modes).flatmap(operation.as_strategy))
    def check(case: "schemathesis.Case[Any]") -> None:
        if str(case.query.get("wait", "")).isdigit():
            case.query["wait"] = 0  # `test_polls` has the time to wait
        case.call_and_validate(base_url=url, headers=headers, checks=CHECKS, timeout=DEADLINE_S)

    check()
