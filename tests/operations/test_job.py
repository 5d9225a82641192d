"""One job: found without a list, and made anew of what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters.backend_records import Ingredient, Job, JobItem
from dispctl.adapters.job_journal import JobJournal
from dispctl.errors import BackendRefusedError, UsageError
from dispctl.operations.job import draft_of_failed, job_to_cancel, show_job
from dispctl.operations.job_search import LONGEST_GAP, newest_job_id, newest_jobs
from tests.operations.kitchen import Kitchen

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def journal(tmp_path: Path) -> JobJournal:
    return JobJournal(tmp_path / "jobs.json", "ana")


def kitchen_with(*ids: int, status: str = "done", knows_active: bool = True) -> Kitchen:
    kitchen = Kitchen(knows_active=knows_active)
    for number in ids:
        kitchen.jobs[number] = {
            "id": number, "status": status, "receita_id": 1, "pessoas_solicitadas": 1, "itens": [],
        }  # fmt: skip
    return kitchen


@pytest.mark.parametrize("knows_active", [True, False])
def test_the_newest_is_found_past_gaps_of_other_operators(*, knows_active: bool) -> None:
    client = kitchen_with(2, 9, 9 + LONGEST_GAP, knows_active=knows_active).client()
    assert newest_job_id(client, 0) == 9 + LONGEST_GAP
    assert [job.id for job in newest_jobs(client, 0, 2)] == [9 + LONGEST_GAP, 9]


def test_the_active_job_bridges_any_gap() -> None:
    assert newest_job_id(kitchen_with(5000, status="queued").client(), 0) == 5000


def test_without_an_id_the_active_job_is_shown_else_the_newest(journal: JobJournal) -> None:
    kitchen = kitchen_with(1, 2)
    assert show_job(kitchen.client(), journal, None).id == 2
    kitchen.jobs[1]["status"] = "queued"
    assert show_job(kitchen.client(), journal, None).id == 1


def test_no_job_at_all(journal: JobJournal) -> None:
    with pytest.raises(UsageError, match="There is no job yet"):
        show_job(Kitchen().client(), journal, None)
    with pytest.raises(BackendRefusedError, match="You have no job 4"):
        show_job(Kitchen().client(), journal, 4)


def test_a_job_that_has_ended_cannot_be_cancelled(journal: JobJournal) -> None:
    with pytest.raises(BackendRefusedError, match="job 2 has ended"):
        job_to_cancel(kitchen_with(2).client(), journal, 2)


def job_of(*items: JobItem, status: str = "done_partial") -> Job:
    return Job(7, status, 3, 40, items)


def test_what_failed_is_poured_once_more_and_nothing_else() -> None:
    draft, people = draft_of_failed(
        job_of(JobItem(1, 1, "Sal", 10, 5, "done"), JobItem(2, 3, "Alho", 12.5, 5, "failed"))
    )
    assert (draft.portions, people, draft.ingredients) == (1, 1, (Ingredient("Alho", 12.5),))
    assert draft.name == "Job 7, once more: Alho"


@given(st.lists(st.floats(0.1, 50_000), min_size=1, max_size=4))
def test_any_amount_fits_into_a_recipe(grams: list[float]) -> None:
    draft, people = draft_of_failed(
        job_of(*(JobItem(n, 1, "S", each, 1, "failed") for n, each in enumerate(grams)))
    )
    assert 1 <= people <= 100
    for asked, ingredient in zip(grams, draft.ingredients, strict=True):
        assert 0 < ingredient.grams <= 500
        assert abs(ingredient.grams * people - asked) <= 0.1 * people


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        (job_of(status="running"), "Job 7 has not ended."),
        (job_of(JobItem(1, 1, "Sal", 1, 1, "done"), status="done"), "Nothing failed in job 7."),
        (
            job_of(*(JobItem(n, 1, "S", 1, 1, "failed") for n in range(5))),
            "5 steps of job 7 failed; a recipe has at most 4.",
        ),
    ],
)
def test_what_cannot_be_sent_once_more(job: Job, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        draft_of_failed(job)
    assert caught.value.message == sentence
