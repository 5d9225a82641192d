"""Work that is shared by those who ask for it at the same time."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from dispctl.backend.batches import MOST_AT_ONCE, Batches
from dispctl.backend.refusals import StoreBusyError

DEADLINE_S = 20


class Halves:
    """Halves numbers; odd ones break it. The first piece of work waits until it is let go."""

    def __init__(self) -> None:
        self.pieces: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.pieces.append(list(numbers))
        self.begun.set()
        assert self.go_on.wait(DEADLINE_S)
        if any(number < 0 for number in numbers):
            raise StoreBusyError("Nobody gets anything.")
        if any(number % 2 for number in numbers):
            raise ZeroDivisionError(numbers)
        return [number // 2 for number in numbers]


async def crowd(halves: Halves, numbers: Sequence[int]) -> list[int | BaseException]:
    """What the numbers get that are asked for while the work for 0 is in hand."""
    batches = Batches("test", halves)
    try:
        first = asyncio.create_task(batches.ask(0))
        assert await asyncio.get_running_loop().run_in_executor(None, halves.begun.wait, DEADLINE_S)
        others = [asyncio.create_task(batches.ask(number)) for number in numbers]
        await asyncio.sleep(0)  # each of them has asked
        halves.go_on.set()
        assert await first == 0
        return await asyncio.gather(*others, return_exceptions=True)
    finally:
        halves.go_on.set()
        batches.close()


def test_those_who_ask_while_work_is_in_hand_share_the_next_piece() -> None:
    halves = Halves()

    answers = asyncio.run(crowd(halves, [8, 2, 8]))

    assert answers == [4, 1, 4]
    assert halves.pieces == [[0], [8, 2, 8]]


def test_a_crowd_is_divided() -> None:
    halves = Halves()
    numbers = [2 * number for number in range(MOST_AT_ONCE + 1)]

    answers = asyncio.run(crowd(halves, numbers))

    assert answers == list(range(MOST_AT_ONCE + 1))
    assert [len(piece) for piece in halves.pieces] == [1, MOST_AT_ONCE, 1]


def test_who_breaks_the_work_breaks_nobody_elses() -> None:
    answers = asyncio.run(crowd(Halves(), [2, 3, 4]))

    assert [answers[0], answers[2]] == [1, 2]
    assert isinstance(answers[1], ZeroDivisionError)


def test_a_refusal_is_everybodys_and_nothing_is_tried_again() -> None:
    halves = Halves()

    answers = asyncio.run(crowd(halves, [2, -2]))

    assert [type(answer) for answer in answers] == [StoreBusyError, StoreBusyError]
    assert halves.pieces == [[0], [2, -2]]


@pytest.mark.parametrize("number", [2, -2], ids=["answered", "refused"])
def test_one_who_has_gone_leaves_the_others_their_answers(number: int) -> None:
    async def one_goes() -> list[int | BaseException]:
        halves = Halves()
        batches = Batches("test", halves)
        goes, stays = (asyncio.create_task(batches.ask(number)) for _ in range(2))
        assert await asyncio.get_running_loop().run_in_executor(None, halves.begun.wait, DEADLINE_S)
        goes.cancel()
        halves.go_on.set()
        found = await asyncio.gather(goes, stays, return_exceptions=True)
        batches.close()
        return list(found)

    gone, answer = asyncio.run(one_goes())

    assert isinstance(gone, asyncio.CancelledError)
    assert answer == 1 if number > 0 else isinstance(answer, StoreBusyError)
