"""News over a real WebSocket: heard at once; where there is none, every wait means *ask*."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from websockets.sync.server import serve

from dispctl.adapters.job_news import RETRY_AFTER_S, SILENCE_S, JobNews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from websockets.sync.server import ServerConnection

LONG_S = 20.0


@dataclass
class Time:
    """Time that passes only in pauses and when told."""

    now_s: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now_s += seconds


@dataclass
class Backend:
    """A server of one WebSocket; `said` has each watcher's path and cookie."""

    url: str
    said: list[tuple[str, str]]


@contextmanager
def backend(answer: Callable[[ServerConnection], object]) -> Iterator[Backend]:
    said: list[tuple[str, str]] = []

    def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        said.append((connection.request.path, connection.request.headers.get("Cookie", "")))
        answer(connection)

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Backend(f"http://127.0.0.1:{server.socket.getsockname()[1]}/api", said)
        finally:
            server.shutdown()
            thread.join()


def news_of(url: str, time: Time) -> JobNews:
    return JobNews(url, 7, cookie="access_token=c", now=lambda: time.now_s, pause=time.pause)


def test_a_message_is_heard_at_once_and_silence_is_not_news() -> None:
    told = threading.Event()

    def answer(connection: ServerConnection) -> None:
        assert told.wait(LONG_S)
        connection.send("{}")
        connection.recv()

    time = Time()
    with backend(answer) as server, news_of(server.url, time) as news:
        assert not news.wait(0.01)
        assert news.live
        told.set()
        assert news.wait(LONG_S)
        news.close()
        assert server.said == [("/api/ws/jobs/7", "access_token=c")]
    assert time.pauses == []


def test_after_a_long_silence_the_job_is_asked_for_all_the_same() -> None:
    time = Time()
    with backend(lambda connection: connection.recv()) as server, news_of(server.url, time) as news:
        assert not news.wait(0.01)
        time.now_s += SILENCE_S
        assert news.wait(0.01)
        assert not news.wait(0.01)
        news.close()


def test_a_connection_that_dies_is_news_and_is_tried_again_later() -> None:
    time = Time()
    with backend(lambda connection: connection.close(1011)) as server, news_of(server.url, time) as news:
        assert news.wait(LONG_S)
        assert not news.live
        assert news.wait(1.0)
        assert len(server.said) == 1
        time.now_s += RETRY_AFTER_S
        assert news.wait(LONG_S)
        assert len(server.said) == 2


@pytest.mark.parametrize("code", [4001, 4004])
def test_a_refusal_is_not_repeated(code: int) -> None:
    time = Time()
    with backend(lambda connection: connection.close(code)) as server, news_of(server.url, time) as news:
        assert news.wait(LONG_S)
        time.now_s += RETRY_AFTER_S
        assert news.wait(1.0)
        assert len(server.said) == 1


def test_without_a_socket_every_wait_means_ask() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    time = Time()
    with news_of(url, time) as news:
        assert [news.wait(1.0), news.wait(2.0)] == [True, True]
        assert not news.live
    assert time.pauses == [1.0, 2.0]
