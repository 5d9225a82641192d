"""Boards that ask for a job: in vain, in crowds, and waiting for one."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI

from dispctl.backend.dependencies import Services
from dispctl.backend.polls import LONGEST_WAIT_S
from dispctl.backend.refusals import StoreBusyError
from dispctl.backend.store import fleet
from tests.backend.actors import Board, Cook, accepted, entry, report
from tests.backend.conftest import ON_BOTH, CookMaker

if TYPE_CHECKING:
    import httpx

DEADLINE_S = 20

pytestmark = ON_BOTH


@pytest.fixture
def services(app: FastAPI) -> Services:
    services: Services = app.state.services
    return services


class Asking:
    """Boards that ask in threads of their own."""

    def __init__(self, pool: ThreadPoolExecutor, services: Services) -> None:
        self._pool = pool
        self._services = services

    def __call__(self, board: Board, wait: object = LONGEST_WAIT_S) -> "Future[httpx.Response]":
        return self._pool.submit(
            board.client.get, "/devices/me/next_job", params={"wait": str(wait)}, headers=board.headers
        )

    def until_waiting(self, boards: int) -> None:
        """Return when so many boards wait."""
        deadline = threading.Event()
        timer = threading.Timer(DEADLINE_S, deadline.set)
        timer.start()
        while self._services.queues.watchers < boards:
            assert not deadline.is_set(), f"{self._services.queues.watchers} of {boards} boards wait"
        timer.cancel()


@pytest.fixture
def ask(services: Services) -> Asking:
    return Asking(ThreadPoolExecutor(8), services)


def test_every_answer_announces_how_long_a_board_may_wait(cook: Cook, board: Board) -> None:
    nothing = board.next_job()
    cook.queue_job()
    something = board.next_job()

    assert [answer.status_code for answer in (nothing, something)] == [204, 200]
    assert {answer.headers["Poll-Wait"] for answer in (nothing, something)} == {"25"}


def test_a_job_reaches_a_board_that_waits_for_it(cook: Cook, board: Board, ask: Asking) -> None:
    answer = ask(board)
    ask.until_waiting(1)

    job = cook.queue_job()

    assert accepted(answer.result(DEADLINE_S))["id"] == job["id"]


def test_of_two_that_wait_one_gets_it_and_the_other_when_the_first_is_forgotten(
    cook: Cook, ask: Asking
) -> None:
    boards = [cook.claim_board(f"esp-{number:04d}") for number in range(2)]
    answers = [ask(board, wait=5) for board in boards]
    ask.until_waiting(2)

    job = cook.queue_job()
    first = next(
        place for place, answer in enumerate(answers) if answer.result(DEADLINE_S).status_code == 200
    )
    assert answers[1 - first].result(DEADLINE_S).status_code == 204

    again = ask(boards[1 - first])
    ask.until_waiting(1)
    accepted(cook.client.delete(f"/devices/{first + 1}"))
    assert accepted(again.result(DEADLINE_S))["id"] == job["id"]


def test_another_operators_job_is_not_what_it_waits_for(
    cook: Cook, board: Board, new_cook: CookMaker, ask: Asking
) -> None:
    answer = ask(board, wait=1)
    bia = new_cook("Bia")
    bia.set_up_jars()
    bia.queue_job()

    assert answer.result(DEADLINE_S).status_code == 204


def test_a_board_that_is_forgotten_while_it_waits_is_told(cook: Cook, board: Board, ask: Asking) -> None:
    answer = ask(board)
    ask.until_waiting(1)

    accepted(cook.client.delete("/devices/1"))

    assert answer.result(DEADLINE_S).status_code == 401


def test_boards_that_wait_are_sent_away_when_the_backend_stops(
    board: Board, services: Services, ask: Asking
) -> None:
    answer = ask(board)
    ask.until_waiting(1)

    services.stop_waiting()

    assert answer.result(DEADLINE_S).status_code == 204
    assert ask(board).result(DEADLINE_S).status_code == 204


@pytest.mark.parametrize("wait", ["-1", "x", "", "1.5", "٣"])
def test_a_wait_that_is_none_is_malformed(board: Board, wait: str, ask: Asking) -> None:
    assert ask(board, wait).result(DEADLINE_S).status_code == 422


def test_more_than_the_longest_wait_is_the_longest(cook: Cook, board: Board, ask: Asking) -> None:
    answer = ask(board, wait=999_999_999)
    ask.until_waiting(1)
    cook.queue_job()

    assert answer.result(DEADLINE_S).status_code == 200


def test_a_crowd_is_answered_each_as_it_should_be(cook: Cook, new_cook: CookMaker, ask: Asking) -> None:
    idle = [new_cook(f"Cook {number}").claim_board() for number in range(4)]
    busy = cook.claim_board()
    job = cook.queue_job()
    unknown = Board(busy.client, "a token of nobody")
    crowd = [*idle, busy, unknown] * 8

    answers = [answer.result(DEADLINE_S) for answer in [ask(board, 0) for board in crowd]]

    assert [answer.status_code for answer in answers] == [204, 204, 204, 204, 200, 401] * 8
    assert {answer.json()["id"] for answer in answers if answer.status_code == 200} == {job["id"]}
    accepted(busy.complete(job["id"], report([entry(item) for item in job["itens"]])))
    assert busy.next_job().status_code == 204


def test_a_database_that_does_not_answer_is_a_503(
    board: Board, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StoreBusyError("The database did not answer; try again.")

    monkeypatch.setattr(fleet, "look_up", busy)

    assert board.next_job().status_code == 503
