"""The HTTP client while a server lets a request wait: how long, what ends it, and what becomes of the connection."""

from __future__ import annotations

import pytest

from dispctl.firmware.http_client import GAP_MS, WAITING_PAUSE_MS, Deadline, HttpClient, Response, Wait
from tests.firmware.test_http_client import ScriptedConnection, ScriptedTransport, exchange
from tests.on_micropython.board.fakes import FakeClock


class SlowConnection(ScriptedConnection):
    """Is silent for `silence_ms`, looked at as often as the deadline allows, before its answer, or its end, comes."""

    def __init__(self, clock: FakeClock, answer: bytes, *, silence_ms: int, hang: bool = False) -> None:
        super().__init__(clock, answer, piece=100, gap_ms=1, hang=hang)
        self.clock = clock
        self.silent_ms = silence_ms
        self.looks = 0

    def read(self, limit: int, deadline: Deadline) -> bytes:
        end_ms = self._clock.now_ms + self.silent_ms
        self.silent_ms = 0
        while self._clock.now_ms < end_ms:
            deadline.check()
            self.looks += 1
            self._clock.advance(deadline.pause_ms)
        return super().read(limit, deadline)


NOTHING = b"HTTP/1.1 204 No\r\nPoll-Wait: 25\r\n\r\n"
PATIENT = Wait(30_000, lambda: False)


def wait_at(connection: SlowConnection, wait: Wait | None) -> Response:
    """One GET that may wait."""
    client = HttpClient(ScriptedTransport(connection), connection.clock)  # type: ignore[arg-type]
    return client.request("GET", "http://host", "/x", wait=wait)


def test_a_request_may_wait_for_longer_than_an_answer_takes() -> None:
    clock = FakeClock()
    connection = SlowConnection(clock, NOTHING, silence_ms=29_000)
    response = wait_at(connection, PATIENT)
    assert (response.status, response.poll_wait_s) == (204, 25)
    assert not connection.closed, "one connection is kept through all waits"


def test_a_wait_costs_few_looks() -> None:
    clock = FakeClock()
    connection = SlowConnection(clock, NOTHING, silence_ms=20_000)
    wait_at(connection, PATIENT)
    assert connection.looks <= 20_000 // WAITING_PAUSE_MS + 1


def test_a_wait_has_an_end() -> None:
    clock = FakeClock()
    connection = SlowConnection(clock, NOTHING, silence_ms=600_000)
    response = wait_at(connection, PATIENT)
    assert (response.status, response.error) == (0, "servidor em silêncio")
    assert 30_000 <= clock.now_ms <= 30_000 + 2 * WAITING_PAUSE_MS
    assert connection.closed


def test_a_wait_ends_when_there_is_something_else_to_do() -> None:
    clock = FakeClock()
    connection = SlowConnection(clock, NOTHING, silence_ms=600_000)
    response = wait_at(connection, Wait(30_000, lambda: clock.now_ms >= 5_000))
    assert (response.status, response.error) == (0, "espera interrompida")
    assert 5_000 <= clock.now_ms <= 5_000 + 2 * WAITING_PAUSE_MS
    assert connection.closed


def test_an_answer_that_has_begun_is_read_to_its_end() -> None:
    clock = FakeClock()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + b"x" * 300
    connection = SlowConnection(clock, answer, silence_ms=9_980)
    response = wait_at(connection, Wait(30_000, lambda: clock.now_ms >= 10_000))
    assert (response.status, len(response.body)) == (200, 300)


def test_an_answer_that_begins_late_has_its_own_time() -> None:
    clock = FakeClock()
    connection = SlowConnection(clock, b"HTTP/1.1 200 OK\r\n", silence_ms=25_000, hang=True)
    response = wait_at(connection, PATIENT)
    assert response.error == "servidor em silêncio"
    assert clock.now_ms <= 25_000 + GAP_MS + 500


def test_the_silence_while_nothing_waits_is_as_short_as_ever() -> None:
    clock = FakeClock()
    assert wait_at(SlowConnection(clock, NOTHING, silence_ms=600_000), None).status == 0
    assert clock.now_ms <= GAP_MS + 100


@pytest.mark.parametrize(("cut_after_ms", "opened"), [(50, 2), (5_000, 1)])
def test_only_a_connection_that_was_closed_before_is_opened_again(cut_after_ms: int, opened: int) -> None:
    """One that is cut in the wait says that waiting does not work here, and is not waited on again at once."""
    clock = FakeClock()
    first = SlowConnection(clock, NOTHING, silence_ms=0)
    second = SlowConnection(clock, NOTHING, silence_ms=0)
    transport = ScriptedTransport(first, second)
    client = HttpClient(transport, clock)  # type: ignore[arg-type]
    client.request("GET", "http://host", "/x")
    first.silent_ms = cut_after_ms
    response = client.request("GET", "http://host", "/x", wait=PATIENT)
    assert len(transport.opened) == opened
    assert response.status == (204 if opened == 2 else 0)


@pytest.mark.parametrize(
    ("offer", "seconds"),
    [("25", 25), (" 25 ", 25), ("0", 0), ("", 0), ("-1", 0), ("2.5", 0), ("1e3", 0), ("9" * 13, 0), ("x", 0)],
)
def test_an_offer_is_a_plain_number(offer: str, seconds: int) -> None:
    answer = f"HTTP/1.1 200 OK\r\nPOLL-wait:{offer}\r\nContent-Length: 0\r\n\r\n"
    assert exchange(answer.encode())[0].poll_wait_s == seconds
