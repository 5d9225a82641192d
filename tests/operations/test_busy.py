"""The guard before anything that stops a program: it lets through what cannot pour, and nothing that does."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dispctl.errors import BoardRefusedError
from dispctl.operations import busy
from dispctl.operations.busy import Waited, await_end_of_pour
from tests.fake_board import FakeBoard, running

POURING: dict[str, Any] = {"pouring": True, "job": 7, "item": 3, "total": 4}


def ask(board: FakeBoard, *, wait: bool = False) -> list[Waited]:
    return list(await_end_of_pour(board.port, wait=wait))


def test_an_idle_board_is_let_through() -> None:
    with running(FakeBoard(status=lambda _: {"pouring": False, "job": 7})) as board:
        assert ask(board) == []


def test_a_pour_is_refused_with_what_is_being_poured() -> None:
    with (
        running(FakeBoard(status=lambda _: POURING)) as board,
        pytest.raises(BoardRefusedError, match="job 7, item 3/4") as raised,
    ):
        ask(board)
    assert "--wait" in (raised.value.hint or "")


def test_waiting_ends_with_the_pour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy, "POLL_INTERVAL_S", 0.01)
    answers = iter([POURING, POURING | {"item": 4}, {"pouring": False}])
    with running(FakeBoard(status=lambda _: next(answers))) as board:
        assert ask(board, wait=True) == [Waited(7, 3, 4), Waited(7, 4, 4)]


def test_a_board_that_does_not_know_the_question_is_let_through() -> None:
    with running(FakeBoard(status=lambda _: "unknown op")) as board:
        assert ask(board) == []


@pytest.mark.parametrize(
    "words", ["invalid header: 0xffffffff", "waiting for download", "SyntaxError: invalid syntax"]
)
def test_a_board_without_firmware_is_known_at_once(words: str) -> None:
    board = FakeBoard()

    def answer(_: dict[str, Any]) -> None:
        board.print(words)

    board.handlers["status"] = answer
    with running(board):
        started = time.monotonic()
        assert ask(board) == []
        assert time.monotonic() - started < busy.STATUS_TIMEOUT_S


def test_a_silent_board_is_let_through_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busy, "STATUS_TIMEOUT_S", 0.1)
    with running(FakeBoard(status=lambda _: None)) as board:
        assert ask(board) == []
