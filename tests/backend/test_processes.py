"""Two server processes on one database: many at once have one effect, and each hears what the other did."""

import itertools
import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.sync.client import connect

from tests.backend.actors import PASSWORD, SPICES, Board, Cook, accepted, entry, report
from tests.backend.served import DEADLINE_S, serving

if TYPE_CHECKING:
    from tests.backend import postgres

AT_ONCE = 64


class Pair:
    """The two processes, each by a client without a cookie."""

    def __init__(self, urls: list[str], stack: ExitStack) -> None:
        self.urls = urls
        self._stack = stack

    def client(self, place: int) -> httpx.Client:
        """A new client of one of them."""
        limits = httpx.Limits(max_connections=AT_ONCE)
        return self._stack.enter_context(
            httpx.Client(base_url=self.urls[place], timeout=DEADLINE_S, limits=limits)
        )

    def cook(self) -> list[Cook]:
        """A new operator with jars, signed in at both."""
        name = secrets.token_hex(8)
        cooks = [Cook(self.client(place)) for place in range(2)]
        cooks[0].sign_in(name)
        cooks[1].client.cookies = cooks[0].client.cookies
        cooks[0].set_up_jars()
        return cooks


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("s" * 64)
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'backend.sqlite3'}"
        if request.param == "postgresql":
            server: postgres.Server = request.getfixturevalue("postgres_server")
            url = stack.enter_context(server.new_database())
        options = ("--port", "0", "--database", url, "--secret-file", str(secret))
        both = [stack.enter_context(serving(*options)) for _ in range(2)]
        yield Pair([one.line().split()[1] for one in both], stack)


def at_once(act: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """`AT_ONCE` requests in the same moment, half of them to each process (`act` is told which)."""
    gate = threading.Barrier(AT_ONCE)

    def wait_and_act(number: int) -> httpx.Response:
        gate.wait(DEADLINE_S)
        return act(number % 2)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(wait_and_act, range(AT_ONCE)))


def codes(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_a_report_sent_to_both_is_applied_once(pair: Pair) -> None:
    cooks = pair.cook()
    first = cooks[0].claim_board()
    boards = [first, Board(cooks[1].client, first.token)]
    job = cooks[0].queue_job()
    body = report([entry(item) for item in job["itens"]])

    answers = at_once(lambda place: boards[place].complete(job["id"], body))

    assert codes(answers) == {200: AT_ONCE}
    assert len({answer.text for answer in answers}) == 1
    assert cooks[1].stock_g() == dict.fromkeys(range(1, 5), 90.0)


def test_of_different_reports_sent_to_both_one_counts(pair: Pair) -> None:
    cooks = pair.cook()
    first = cooks[0].claim_board()
    boards = [first, Board(cooks[1].client, first.token)]
    job = cooks[0].queue_job()
    bodies = [report([entry(job["itens"][place])]) for place in range(2)]

    answers = at_once(lambda place: boards[place].complete(job["id"], bodies[place]))

    assert codes(answers) == {200: AT_ONCE // 2, 409: AT_ONCE // 2}
    assert sorted(cooks[0].stock_g().values(), key=str) == [100.0, 100.0, 100.0, 90.0]


def test_a_job_ordered_at_both_is_one_job(pair: Pair) -> None:
    cooks = pair.cook()
    recipe_id = cooks[0].add_recipe()

    answers = at_once(lambda place: cooks[place].order(recipe_id))

    assert codes(answers) == {201: 1, 409: AT_ONCE - 1}


def test_a_job_asked_for_at_both_goes_to_one_board(pair: Pair) -> None:
    cooks = pair.cook()
    boards = [cook.claim_board(f"esp-{place:04d}") for place, cook in enumerate(cooks)]
    cooks[0].queue_job()

    answers = at_once(lambda place: boards[place].next_job())

    assert codes(answers) == {200: AT_ONCE // 2, 204: AT_ONCE // 2}


def test_jars_set_up_and_names_taken_at_both_are_there_once(pair: Pair) -> None:
    cooks = pair.cook()
    jars = [{"frasco": 1, "rotulo": SPICES[0], "g_por_seg": 2.0, "estoque_g": 5.0}]
    assert codes(at_once(lambda place: cooks[place].client.put("/config/robo", json=jars))) == {200: AT_ONCE}

    credentials = {"nome": secrets.token_hex(8), "senha": PASSWORD}
    counted = codes(at_once(lambda place: cooks[place].client.post("/auth/register", json=credentials)))
    assert counted == {201: 1, 400: AT_ONCE - 1}


def only_postgresql(pair: Pair, request: pytest.FixtureRequest) -> None:
    if request.node.callspec.params["pair"] == "sqlite":
        pytest.skip("processes on one SQLite file do not hear of each other")


def test_a_watcher_at_one_hears_of_a_report_to_the_other(pair: Pair, request: pytest.FixtureRequest) -> None:
    only_postgresql(pair, request)
    cooks = pair.cook()
    board = cooks[1].claim_board()
    job = cooks[0].queue_job()
    cookie = {"Cookie": f"access_token={cooks[0].client.cookies['access_token']}"}
    address = f"{pair.urls[0].replace('http', 'ws', 1)}/ws/jobs/{job['id']}"

    with connect(address, additional_headers=cookie, open_timeout=DEADLINE_S) as socket:
        socket.send("ping")
        assert json.loads(socket.recv(DEADLINE_S)) == {"type": "pong"}
        accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))
        messages = [json.loads(socket.recv(DEADLINE_S)) for _ in range(5)]

    assert messages[-1]["data"]["job_status"] == "done"


def test_a_board_that_waits_at_one_gets_a_job_ordered_at_the_other(
    pair: Pair, request: pytest.FixtureRequest
) -> None:
    only_postgresql(pair, request)
    cooks = pair.cook()
    board = cooks[0].claim_board()
    waiting = "dispctl_polls_in_hand 1.0"

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(
            board.client.get, "/devices/me/next_job", params={"wait": 25}, headers=board.headers
        )
        deadline = threading.Event()
        timer = threading.Timer(DEADLINE_S, deadline.set)
        timer.start()
        while waiting not in cooks[0].client.get("/metrics").text:
            assert not deadline.is_set(), "the board does not wait"
        timer.cancel()
        job = cooks[1].queue_job()
        assert accepted(answer.result(DEADLINE_S))["id"] == job["id"]


@pytest.mark.parametrize("boards", [1, AT_ONCE], ids=["one board", "many boards"])
def test_a_code_spent_at_both_makes_one_board(pair: Pair, boards: int) -> None:
    cooks = pair.cook()
    code = cooks[0].claim_code()
    numbers = itertools.count()

    def claim(place: int) -> httpx.Response:
        number = next(numbers)
        body = {"uid": f"esp-{number % boards:04d}", "claim_code": code, "fw_version": "", "mac": ""}
        # Each from an address of its own, or most of them would be refused for guessing.
        address = {"X-Forwarded-For": f"10.0.{boards}.{number}"}
        return cooks[place].client.post("/devices/claim", json=body, headers=address)

    answers = at_once(claim)

    assert codes(answers) == {200: 1, 400: AT_ONCE - 1}
    (device,) = accepted(cooks[0].client.get("/devices"))["devices"]
    (winner,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert device["id"] == winner["device_id"]
    assert Board(cooks[1].client, winner["device_token"]).heartbeat().status_code == 200
