"""One operation on many boards: what happens to one does not happen to the others."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from dispctl.errors import BoardSilentError, UsageError
from dispctl.operations.several_boards import Ended, Step, run_all

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

DEADLINE_S = 20


def counting(count: int) -> Callable[[], Generator[int, None, None]]:
    def operation() -> Generator[int, None, None]:
        yield from range(count)

    return operation


def failing() -> Generator[int, None, None]:
    yield 0
    raise BoardSilentError("The board is silent.")


def test_every_board_comes_to_its_own_end() -> None:
    steps = list(run_all({"a": counting(3), "b": failing, "c": counting(0)}))
    events = {
        board: [step.event for step in steps if isinstance(step, Step) and step.board == board]
        for board in "abc"
    }
    assert events == {"a": [0, 1, 2], "b": [0], "c": []}
    ends = {step.board: step.error for step in steps if isinstance(step, Ended)}
    assert (ends["a"], ends["c"]) == (None, None)
    assert isinstance(ends["b"], BoardSilentError)


def test_they_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=DEADLINE_S)

    def meet() -> Generator[int, None, None]:
        meeting.wait()
        yield 1

    assert [type(step) for step in run_all({"a": meet, "b": meet})].count(Ended) == 2


def test_a_refused_event_ends_only_its_board() -> None:
    closed = []

    def careful() -> Generator[int, None, None]:
        try:
            yield from range(9)
        finally:
            closed.append("a")

    ends = {}
    for step in run_all({"a": careful, "b": counting(4)}):
        if isinstance(step, Ended):
            ends[step.board] = step.error
        elif (step.board, step.event) == ("a", 1):
            step.refuse(UsageError("No."))
    assert closed == ["a"]
    assert isinstance(ends["a"], UsageError)
    assert ends["b"] is None


def test_a_bug_is_not_hidden() -> None:
    def broken() -> Generator[int, None, None]:
        yield 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(run_all({"a": broken, "b": counting(3)}))


def test_leaving_early_stops_the_boards_at_their_next_event() -> None:
    closed = threading.Event()

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    steps = run_all({"a": endless})
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert closed.wait(DEADLINE_S)
