"""The WebSocket on which an operator follows a job."""

from contextlib import AbstractContextManager
from typing import Any

import pytest

from dispctl.backend.refusals import StoreBusyError
from dispctl.backend.store import reports
from tests.backend.actors import Board, Cook, accepted, entry, report
from tests.backend.asgi import Client, Closed, WebSocket
from tests.backend.conftest import ON_BOTH, ClientMaker, CookMaker

pytestmark = ON_BOTH


def watch(cook: Cook, job_id: int) -> AbstractContextManager[WebSocket]:
    assert isinstance(cook.client, Client)
    return cook.client.websocket(f"/ws/jobs/{job_id}")


def until_complete(socket: WebSocket) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [socket.receive()]
    while messages[-1]["type"] != "execution_complete":
        messages.append(socket.receive())
    return messages


def test_a_watcher_is_told_every_entry_and_then_the_outcome(cook: Cook, board: Board) -> None:
    job = cook.queue_job()
    entries = [entry(item) for item in job["itens"][:3]] + [entry(job["itens"][3], "failed", "stuck")]

    with watch(cook, job["id"]) as socket:
        accepted(board.complete(job["id"], report(entries)))
        messages = until_complete(socket)

    assert [message["type"] for message in messages] == ["execution_log_entry"] * 4 + ["execution_complete"]
    assert [message["data"] for message in messages[:4]] == entries
    assert messages[4]["data"] == {
        "ok": True,
        "stock_deducted": True,
        "itens_completados": 3,
        "itens_falhados": 1,
        "job_status": "done_partial",
    }
    assert all(message["timestamp"] for message in messages)


def test_a_ping_is_answered_before_and_after_the_outcome(cook: Cook, board: Board) -> None:
    job = cook.queue_job()

    with watch(cook, job["id"]) as socket:
        for _ in range(2):
            socket.send("ping")
            assert socket.receive() == {"type": "pong"}
        accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))
        until_complete(socket)
        socket.send("noise")
        socket.send("ping")
        assert socket.receive() == {"type": "pong"}


def test_who_comes_late_is_told_everything(cook: Cook, board: Board) -> None:
    job = cook.queue_job()
    accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))

    with watch(cook, job["id"]) as socket:
        assert len(until_complete(socket)) == 5


def test_all_watchers_are_told_of_their_own_job_only(cook: Cook, board: Board, new_cook: CookMaker) -> None:
    bia = new_cook("Bia")
    bia.set_up_jars()
    hers, mine = bia.queue_job(), cook.queue_job()

    with watch(cook, mine["id"]) as one, watch(cook, mine["id"]) as two, watch(bia, hers["id"]) as other:
        accepted(board.complete(mine["id"], report([entry(mine["itens"][0])])))
        assert until_complete(one) == until_complete(two)
        other.send("ping")
        assert other.receive() == {"type": "pong"}


def test_cancelling_is_an_outcome(cook: Cook) -> None:
    job = cook.queue_job()

    with watch(cook, job["id"]) as socket:
        accepted(cook.client.post("/jobs/active/cancel"))
        (message,) = until_complete(socket)

    assert message["data"]["ok"] is False
    assert message["data"]["job_status"] == "canceled"


def test_the_job_has_to_be_the_operators(new_client: ClientMaker, cook: Cook, new_cook: CookMaker) -> None:
    job = cook.queue_job()

    for watcher, code in ((Cook(new_client()), 4001), (new_cook("Bia"), 4004)):
        with watch(watcher, job["id"]) as socket, pytest.raises(Closed) as closed:
            socket.receive()
        assert closed.value.code == code


def test_a_watcher_is_sent_away_while_the_database_does_not_answer(
    cook: Cook, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = cook.queue_job()

    def busy(*_: object) -> None:
        raise StoreBusyError("The database did not answer; try again.")

    with watch(cook, job["id"]) as socket:
        socket.send("ping")
        assert socket.receive() == {"type": "pong"}
        monkeypatch.setattr(reports, "report_of", busy)
        accepted(board.complete(job["id"], report([entry(job["itens"][0])])))
        with pytest.raises(Closed) as closed:
            socket.receive()

    assert closed.value.code == 1013
