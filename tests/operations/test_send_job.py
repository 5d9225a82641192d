"""One job exactly, or a clear refusal, whatever happens to the answer."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispctl.adapters.backend_client import AnswerLostError
from dispctl.adapters.job_journal import JobJournal, JobOrder
from dispctl.errors import BackendRefusedError, BackendUnreachableError
from dispctl.operations.send_job import AnswerMissed, EarlierSendFound, Sent, send_job
from tests.operations.kitchen import Kitchen, answering

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

ORDER = JobOrder(recipe_id=3, people=4)
FAULTS = ["timeout", "cut", "garbled", "500", "504"]


@pytest.fixture
def journal(tmp_path: Path) -> JobJournal:
    return JobJournal(tmp_path / "jobs.json", "ana")


def send(kitchen: Kitchen, journal: JobJournal) -> list[object]:
    return list(send_job(kitchen.client(), ORDER, journal, pause=lambda _: None))


def sent(events: list[object]) -> Sent:
    assert isinstance(events[-1], Sent), events
    return events[-1]


def test_an_answered_send_makes_one_job_and_settles_the_journal(journal: JobJournal) -> None:
    kitchen = Kitchen()
    event = sent(send(kitchen, journal))
    assert (event.job.id, event.found, kitchen.creations) == (1, False, 1)
    assert (journal.newest_id, journal.unanswered) == (1, None)


@pytest.mark.parametrize("knows_active", [True, False])
@pytest.mark.parametrize("pours_at_once", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_job_made_without_a_word_is_found(
    journal: JobJournal, fault: str, *, knows_active: bool, pours_at_once: bool
) -> None:
    kitchen = Kitchen(deque([f"{fault}+"]), knows_active=knows_active, pours_at_once=pours_at_once)
    events = send(kitchen, journal)
    assert isinstance(events[0], AnswerMissed)
    assert sent(events).found
    assert kitchen.creations == 1


@pytest.mark.parametrize("fault", ["cut", "garbled", "500"])
def test_a_send_that_came_to_nothing_is_repeated(journal: JobJournal, fault: str) -> None:
    kitchen = Kitchen(deque([f"{fault}-"]))
    assert not sent(send(kitchen, journal)).found
    assert kitchen.creations == 1


@pytest.mark.parametrize("fault", ["timeout", "504"])
def test_nothing_is_repeated_while_the_first_request_may_still_be_at_work(
    journal: JobJournal, fault: str
) -> None:
    kitchen = Kitchen(deque([f"{fault}-"]))
    with pytest.raises(AnswerLostError, match="may still come") as caught:
        send(kitchen, journal)
    assert caught.value.hint is not None
    assert "same command again" in caught.value.hint
    assert kitchen.creations == 0
    assert journal.unanswered is not None
    assert sent(send(kitchen, journal)).job.id == 1
    assert kitchen.creations == 1


def test_a_job_that_comes_late_is_waited_for(journal: JobJournal) -> None:
    kitchen = Kitchen(deque(["late"]))
    assert sent(send(kitchen, journal)).found
    assert kitchen.creations == 1


def test_the_next_run_finds_what_an_interrupted_one_has_sent(journal: JobJournal) -> None:
    kitchen = Kitchen(deque(["timeout+"]), pours_at_once=True)

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(send_job(kitchen.client(), ORDER, journal, pause=interrupted))
    first, second = send(kitchen, journal)
    assert isinstance(first, EarlierSendFound)
    assert isinstance(second, Sent)
    assert kitchen.creations == 1


def test_another_order_does_not_take_an_earlier_one_for_its_own(journal: JobJournal) -> None:
    kitchen = Kitchen(pours_at_once=True)
    journal.begin(JobOrder(3, 2), after_id=0)
    kitchen.make({"receita_id": 3, "pessoas_solicitadas": 2})
    assert sent(send(kitchen, journal)).job.id == 2


def test_older_jobs_of_the_same_recipe_are_not_taken_for_the_new_one(journal: JobJournal) -> None:
    kitchen = Kitchen(deque(["500-"]), pours_at_once=True, knows_active=False)
    kitchen.make({"receita_id": 3, "pessoas_solicitadas": 4})
    event = sent(send(kitchen, journal))
    assert (event.job.id, event.found) == (2, False)


def test_a_conflict_is_told_in_the_backends_words_and_settles_the_journal(journal: JobJournal) -> None:
    kitchen = Kitchen()
    kitchen.make({"receita_id": 9, "pessoas_solicitadas": 1})
    with pytest.raises(BackendRefusedError, match=r"refuses the job: Another job is active\.") as caught:
        send(kitchen, journal)
    assert caught.value.status == 409
    assert journal.unanswered is None


def test_a_refusal_after_a_missed_answer_leaves_the_send_open(journal: JobJournal) -> None:
    kitchen = Kitchen(deque(["500-", "403-"]))
    with pytest.raises(BackendRefusedError) as caught:
        send(kitchen, journal)
    assert caught.value.status == 403
    assert journal.unanswered is not None


def test_looking_goes_on_while_the_backend_is_away(journal: JobJournal) -> None:
    kitchen = Kitchen(deque(["timeout+"]), outages=3)
    assert sent(send(kitchen, journal)).found
    assert (kitchen.creations, kitchen.outages) == (1, 0)


def test_a_backend_that_is_down_gets_nothing_and_leaves_nothing_open(
    journal: JobJournal, refused_connection: Callable[[httpx.Request], httpx.Response]
) -> None:
    with pytest.raises(BackendUnreachableError, match="nothing listens there"):
        list(send_job(answering(refused_connection), ORDER, journal))
    assert journal.unanswered is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(
        st.sampled_from(["", "late", *(f"{fault}{when}" for fault in FAULTS for when in "+-")]), max_size=6
    ),
    runs=st.integers(1, 3),
    knows_active=st.booleans(),
)
def test_any_faults_and_repeated_runs_make_at_most_one_job(
    tmp_path_factory: pytest.TempPathFactory, faults: list[str], runs: int, *, knows_active: bool
) -> None:
    journal = JobJournal(tmp_path_factory.mktemp("j") / "jobs.json", "ana")
    kitchen = Kitchen(deque(faults), knows_active=knows_active)
    succeeded = 0
    for _ in range(runs):
        with contextlib.suppress(BackendRefusedError, BackendUnreachableError):
            send(kitchen, journal)
            succeeded += 1
            break
    assert kitchen.creations <= 1
    assert kitchen.creations == 1 or not succeeded
