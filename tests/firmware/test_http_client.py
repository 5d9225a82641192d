"""The HTTP client against every kind of answer: it ends in time, within its limits, and says what it got."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispctl.firmware.http_client import GAP_MS, OVERALL_MS, Deadline, HttpClient, HttpError, Response
from tests.on_micropython.board.fakes import FakeClock


class ScriptedConnection:
    """Gives out `answer` in pieces, `gap_ms` apart, then closes, or hangs for ever."""

    def __init__(self, clock: FakeClock, answer: bytes, *, piece: int, gap_ms: int, hang: bool) -> None:
        self.sent = b""
        self.closed = False
        self._clock = clock
        self._answer = answer
        self._piece = piece
        self._gap_ms = gap_ms
        self._hang = hang

    def write(self, data: bytes, deadline: Deadline) -> None:
        deadline.check()
        self.sent += data

    def read(self, limit: int, deadline: Deadline) -> bytes:
        self._clock.advance(self._gap_ms)
        deadline.check()
        while not self._answer and self._hang:
            self._clock.advance(100)
            deadline.check()
        piece, self._answer = self._answer[: min(limit, self._piece)], self._answer[min(limit, self._piece) :]
        deadline.heard()
        return piece

    def close(self) -> None:
        self.closed = True


class ScriptedTransport:
    """Every connection is the next of the scripted ones."""

    def __init__(self, *connections: ScriptedConnection) -> None:
        self.waiting = list(connections)
        self.opened: list[ScriptedConnection] = []

    def connect(self, host: str, port: int, secure: bool, deadline: Deadline) -> ScriptedConnection:
        if not self.waiting:
            raise OSError(111)
        self.opened.append(self.waiting.pop(0))
        return self.opened[-1]


def exchange(
    answer: bytes, *, limit: int = 4097, piece: int = 100, gap_ms: int = 1, hang: bool = False
) -> tuple[Response, FakeClock]:
    """One GET that is answered with `answer`."""
    clock = FakeClock()
    transport = ScriptedTransport(ScriptedConnection(clock, answer, piece=piece, gap_ms=gap_ms, hang=hang))
    client = HttpClient(transport, clock)  # type: ignore[arg-type]
    return client.request("GET", "http://host", "/x", limit=limit), clock


@pytest.mark.parametrize("piece", [1, 7, 4096])
@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil closed", 200, b"until closed"),
        (
            b"HTTP/1.1 200\r\nTRANSFER-encoding: Chunked\r\n\r\n3;x=1\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n",
            200,
            b"abcde",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 X\r\nContent-Length: 1\r\n\r\n.", 201, b"."),
        (b"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n", 302, b""),
        (
            b"HTTP/1.1 200 OK\r\nContent-Security-Policy: "
            + b"p" * 5000
            + b"\r\nContent-Length: 2\r\n\r\nok",
            200,
            b"ok",
        ),
        (b"HTTP/1.1 500 Oh\nContent-Length: 2\n\nno", 500, b"no"),
    ],
)
def test_answers(answer: bytes, status: int, body: bytes, piece: int) -> None:
    response, _ = exchange(answer, piece=piece)
    assert (response.status, response.body, response.cut) == (status, body, False)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5_0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b" " * 1020 + b"1\r\n\r\n.",
    ],
)
def test_what_is_no_answer_is_status_0_with_a_reason(answer: bytes) -> None:
    response, _ = exchange(answer)
    assert response.status == 0
    assert response.error


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 20_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 20_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"100\r\n" + b"x" * 256 + b"\r\n" + b"1000\r\n" + b"x" * 4096,
    ],
)
def test_a_long_answer_is_cut_at_the_limit(answer: bytes) -> None:
    response, _ = exchange(answer, limit=1000)
    assert (response.status, response.cut, len(response.body)) == (200, True, 1000)


def test_a_hang_ends_with_the_silence() -> None:
    response, clock = exchange(b"HTTP/1.1 200 OK\r\nContent-Le", hang=True)
    assert response.status == 0
    assert clock.now_ms <= GAP_MS + 500


def test_a_trickle_ends_with_the_overall_time() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
    response, clock = exchange(answer, piece=1, gap_ms=900)
    assert response.status == 0
    assert clock.now_ms <= OVERALL_MS + 1000


def test_a_kept_connection_that_was_closed_is_opened_again() -> None:
    clock = FakeClock()
    answer = b"HTTP/1.1 204 No\r\n\r\n"
    first = ScriptedConnection(clock, answer, piece=100, gap_ms=1, hang=False)
    second = ScriptedConnection(clock, answer, piece=100, gap_ms=1, hang=False)
    transport = ScriptedTransport(first, second)
    client = HttpClient(transport, clock)  # type: ignore[arg-type]
    assert client.request("GET", "http://host", "/x").status == 204
    assert client.request("GET", "http://host", "/x").status == 204
    assert first.closed
    assert len(transport.opened) == 2


class InterruptedConnection(ScriptedConnection):
    """Raises something unforeseen at its second read, with the answer still to come."""

    reads = 0

    def read(self, limit: int, deadline: Deadline) -> bytes:
        self.reads += 1
        if self.reads == 2:
            raise MemoryError
        return super().read(limit, deadline)


def test_an_answer_that_was_not_read_is_not_taken_for_the_next_requests() -> None:
    clock = FakeClock()
    accepted, refused = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n",
    )
    first = InterruptedConnection(clock, accepted, piece=10, gap_ms=1, hang=False)
    second = ScriptedConnection(clock, refused, piece=100, gap_ms=1, hang=False)
    client = HttpClient(ScriptedTransport(first, second), clock)  # type: ignore[arg-type]
    with pytest.raises(MemoryError):
        client.request("GET", "http://host", "/x")
    assert first.closed
    assert client.request("POST", "http://host", "/y").status == 503


def test_bytes_after_an_answer_without_a_body_answer_nothing() -> None:
    clock = FakeClock()
    answers = (
        b"HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n",
    )
    connections = [ScriptedConnection(clock, a, piece=100, gap_ms=1, hang=False) for a in answers]
    client = HttpClient(ScriptedTransport(*connections), clock)  # type: ignore[arg-type]
    assert client.request("GET", "http://host", "/x").status == 204
    assert connections[0].closed
    assert client.request("POST", "http://host", "/y").status == 503


def test_a_request_that_must_not_be_repeated_is_sent_once() -> None:
    clock = FakeClock()
    answer = b"HTTP/1.1 204 No\r\n\r\n"
    connections = [
        ScriptedConnection(clock, a, piece=100, gap_ms=1, hang=False) for a in (answer, b"", answer)
    ]
    transport = ScriptedTransport(*connections)
    client = HttpClient(transport, clock)  # type: ignore[arg-type]
    assert client.request("GET", "http://host", "/x").status == 204
    assert client.request("POST", "http://host", "/claim", repeatable=False).status == 0
    assert len(transport.opened) == 2


def test_the_request_on_the_wire() -> None:
    clock = FakeClock()
    connection = ScriptedConnection(clock, b"HTTP/1.1 204 No\r\n\r\n", piece=100, gap_ms=1, hang=False)
    client = HttpClient(ScriptedTransport(connection), clock)  # type: ignore[arg-type]
    client.request("POST", "https://host:8443/api/", "/x", token="t0ken", body=lambda: (b"ab", b"cde"))
    head, _, body = connection.sent.partition(b"\r\n\r\n")
    assert body == b"abcde"
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /api/x HTTP/1.1"
    assert b"Host: host:8443" in lines
    assert b"Authorization: Bearer t0ken" in lines
    assert b"Content-Length: 5" in lines


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://:80", "http://host:port", "host"])
def test_an_address_that_is_none(url: str) -> None:
    client = HttpClient(ScriptedTransport(), FakeClock())  # type: ignore[arg-type]
    response = client.request("GET", url, "/x")
    assert (response.status, response.error) == (0, "endereço do backend inválido")


@settings(max_examples=300)
@given(st.binary(max_size=600), st.integers(1, 50), st.booleans())
def test_any_bytes_end_in_a_response(noise: bytes, piece: int, as_body: bool) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + noise if as_body else noise
    response, clock = exchange(answer, piece=piece)
    assert response.status >= 0
    assert clock.now_ms <= OVERALL_MS + 100


def test_a_deadline_in_words() -> None:
    clock = FakeClock()
    deadline = Deadline(clock, overall_ms=100, gap_ms=50)
    clock.advance(60)
    with pytest.raises(HttpError, match="silêncio"):
        deadline.check()
