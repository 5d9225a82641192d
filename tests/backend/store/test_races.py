"""Many at once: threads that do the same thing in the same moment have one effect."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi import FastAPI

from dispctl.backend.dependencies import Services
from dispctl.backend.refusals import BadClaimError, ConflictError, TooManyAttemptsError
from dispctl.backend.report import Report, ReportEntry
from dispctl.backend.security import digest
from dispctl.backend.store import attempts, devices, fleet, jars, jobs, recipes, reports
from dispctl.backend.store.fleet import KnownBoard
from dispctl.backend.store.tables import StockTaken
from tests.backend.actors import Board, Cook, accepted, entry, report
from tests.backend.conftest import ON_BOTH

pytestmark = ON_BOTH

AT_ONCE = 64


def at_once(act: Callable[[int], str]) -> Counter[str]:
    """Have `AT_ONCE` threads start `act` together; counts what they return."""
    gate = threading.Barrier(AT_ONCE)

    def wait_and_act(number: int) -> str:
        gate.wait(timeout=30)
        return act(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(wait_and_act, range(AT_ONCE)))


@pytest.fixture
def services(app: FastAPI) -> Services:
    services: Services = app.state.services
    return services


def known(board: Board, services: Services) -> KnownBoard:
    with services.database.read() as session:
        return fleet.look_up(session, {digest(board.token)})[digest(board.token)]


def test_a_report_sent_many_times_at_once_is_applied_once(
    cook: Cook, board: Board, services: Services
) -> None:
    job = cook.queue_job()
    sender = known(board, services)
    poured = Report(1, 0, (ReportEntry(1, "Sal", 10_000_000, 5.0, "done", None),))

    def send(_number: int) -> str:
        with services.database.write() as session:
            return repr(reports.apply(session, sender, job["id"], poured, services.now()))

    assert list(at_once(send).values()) == [AT_ONCE]
    assert cook.stock_g()[1] == 90.0


def test_of_many_different_reports_one_counts(cook: Cook, board: Board, services: Services) -> None:
    job = cook.queue_job()
    sender = known(board, services)

    def send(number: int) -> str:
        poured = Report(1, 0, (ReportEntry(1, "Sal", number + 1, 5.0, "done", None),))
        with services.database.write() as session:
            receipt = reports.apply(session, sender, job["id"], poured, services.now())
        return "accepted" if receipt.accepted else "refused"

    assert at_once(send) == {"accepted": 1, "refused": AT_ONCE - 1}
    with services.database.read() as session:
        taken = session.get(StockTaken, (job["id"], 1))
        assert taken is not None
        (jar, *_) = jars.jars_of(session, 1)
        assert jar.stock_ug == 100_000_000 - taken.taken_ug


def test_a_report_and_the_older_call_at_once_take_stock_off_once(
    cook: Cook, board: Board, services: Services
) -> None:
    job = cook.queue_job()
    body = report([entry(item) for item in job["itens"]])

    def send(number: int) -> str:
        response = board.status(job["id"], "done") if number % 2 else board.complete(job["id"], body)
        return str(response.status_code)

    assert at_once(send) == {"200": AT_ONCE}
    assert cook.stock_g() == dict.fromkeys(range(1, 5), 90.0)


def test_a_claim_code_spent_many_times_at_once_makes_one_board(cook: Cook, services: Services) -> None:
    code = cook.claim_code()

    def spend(number: int) -> str:
        identity = devices.Identity(f"esp-{number:04d}", "0.1.0", "")
        try:
            with services.database.write() as session:
                devices.spend_claim(session, code, identity, services.now())
        except BadClaimError:
            return "refused"
        return "claimed"

    assert at_once(spend) == {"claimed": 1, "refused": AT_ONCE - 1}
    assert len(accepted(cook.client.get("/devices"))["devices"]) == 1


def test_a_job_ordered_many_times_at_once_is_one_job(cook: Cook, services: Services) -> None:
    recipe_id = cook.add_recipe()

    def order(_number: int) -> str:
        try:
            with services.database.write() as session:
                jobs.create(session, 1, recipe_id, 4, services.now())
        except ConflictError:
            return "conflict"
        return "created"

    assert at_once(order) == {"created": 1, "conflict": AT_ONCE - 1}


def test_the_database_itself_refuses_a_second_active_job(
    cook: Cook, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What decides when another process inserts between the look and the insert."""
    job = cook.queue_job()
    monkeypatch.setattr(jobs, "active", lambda *_: None)

    with pytest.raises(ConflictError, match="Another job is active"), services.database.write() as session:
        jobs.create(session, 1, job["receita_id"], 4, services.now())

    with services.database.read() as session:
        assert len(recipes.recipes_of(session, 1)) == 1


def test_a_job_asked_for_by_many_boards_at_once_goes_to_one(cook: Cook, services: Services) -> None:
    boards = [cook.claim_board(f"esp-{number:04d}") for number in range(8)]
    cook.queue_job()

    def ask(number: int) -> str:
        return f"{number % 8} {boards[number % 8].next_job().status_code}"

    answers = at_once(ask)
    assert sum(times for answer, times in answers.items() if answer.endswith("200")) == AT_ONCE / 8
    assert sum(answer.endswith("200") for answer in answers) == 1


def test_of_many_guesses_at_once_only_the_allowed_ones_are_looked_at(services: Services) -> None:
    def guess(_number: int) -> str:
        try:
            with services.database.write() as session:
                attempts.take(session, "door", limit=10, window=timedelta(minutes=1), now=services.now())
        except TooManyAttemptsError:
            return "shut"
        return "looked at"

    assert at_once(guess) == {"looked at": 10, "shut": AT_ONCE - 10}
