"""One job exactly, or a clear refusal, with the embedded backend behind a gateway that spoils its answers."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispctl.adapters.backend_client import BackendClient
from dispctl.adapters.backend_records import Ingredient, RecipeDraft
from dispctl.adapters.job_journal import JobJournal, JobOrder
from dispctl.errors import BackendRefusedError, BackendUnreachableError
from dispctl.operations.send_job import Sent, send_job
from tests.cli.faulty_gateway import FAULTS, FaultyGateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Shell

SPOILED = [f"{fault}{when}" for fault in FAULTS for when in "+-"]
RUNS = 3


class Kitchen:
    """An operator behind the gateway; every `try_sending` is a job of its own, until it is cleared away."""

    def __init__(
        self,
        gateway: FaultyGateway,
        client: BackendClient,
        truth: BackendClient,
        database: Path,
        folder: Path,
    ) -> None:
        self.gateway = gateway
        self.client = client
        self._truth = truth  # around the gateway
        self._database = database
        self._folder = folder
        self._number = 0
        draft = RecipeDraft("Sal", 1, (Ingredient("Sal", 1.0),))
        self._order = JobOrder(client.create_recipe(draft).id, 1)

    def try_sending(self, faults: list[str]) -> tuple[list[int], int, list[Exception]]:
        """Send until it is sent, at most `RUNS` times; returns ids told, how many jobs that made, and the refusals."""
        self._number += 1
        journal = JobJournal(self._folder / f"{self._number}.json", "ana")
        before = self._jobs()
        self.gateway.faults.clear()
        self.gateway.faults.extend(faults)
        told: list[int] = []
        refusals: list[Exception] = []
        for _ in range(RUNS):
            try:
                events = list(send_job(self.client, self._order, journal, pause=lambda _: None))
            except (BackendRefusedError, BackendUnreachableError) as error:
                refusals.append(error)
            else:
                told = [event.job.id for event in events if isinstance(event, Sent)]
                break
        self.gateway.faults.clear()
        made = self._jobs() - before
        with suppress(BackendRefusedError):
            self._truth.cancel_active_job()
        return told, made, refusals

    def _jobs(self) -> int:
        """How many jobs of the order's recipe there are: from the database, since the contract cannot list jobs."""
        with closing(sqlite3.connect(self._database)) as rows:
            counted: tuple[int] = rows.execute(
                "SELECT count(*) FROM jobs WHERE recipe_id = ?", (self._order.recipe_id,)
            ).fetchone()
        return counted[0]


@pytest.fixture
def kitchen(operator: Shell, backend_url: str, backend_database: Path, tmp_path: Path) -> Iterator[Kitchen]:
    cookie = operator.session()["access_token"]
    with (
        FaultyGateway(backend_url) as gateway,
        BackendClient(gateway.url, cookie=cookie, timeout_s=1) as client,
        BackendClient(backend_url, cookie=cookie) as truth,
    ):
        yield Kitchen(gateway, client, truth, backend_database, tmp_path)


@pytest.mark.parametrize("fault", SPOILED)
def test_one_spoiled_answer_makes_one_job_or_a_refusal_and_never_two(kitchen: Kitchen, fault: str) -> None:
    told, made, refusals = kitchen.try_sending([fault])
    assert made == len(told) == 1
    assert len(refusals) < RUNS
    assert all(getattr(refusal, "hint", None) or "refuses" in str(refusal) for refusal in refusals)


def test_an_answer_that_comes_twice_spoils_nothing_after_it(kitchen: Kitchen) -> None:
    for _ in range(3):
        told, made, refusals = kitchen.try_sending(["twice+"])
        assert (len(told), made, refusals) == (1, 1, [])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(st.sampled_from(["", *(fault for fault in SPOILED if "silent" not in fault)]), max_size=7)
)
def test_any_row_of_faults_makes_at_most_one_job(kitchen: Kitchen, faults: list[str]) -> None:
    told, made, refusals = kitchen.try_sending(faults)
    assert made <= 1
    assert made == 1 or not told
    assert told or len(refusals) == RUNS
