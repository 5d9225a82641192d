"""One operation on many boards at once, a thread a board; what one board meets stops no other.

The events of all boards come out of one iterator, in the order in which they happen. A board waits until its event has
been dealt with, so that whoever iterates can refuse to let it go on.
"""

from __future__ import annotations

import queue
import threading
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from dispctl.errors import DispctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

E = TypeVar("E")
_LOOK_INTERVAL_S = 0.2
_LAST_WORDS_S = 2.0


@dataclass
class Step(Generic[E]):
    """One event of one board."""

    board: str
    event: E
    refusal: DispctlError | None = None
    dealt_with: threading.Event = field(default_factory=threading.Event)

    def refuse(self, reason: DispctlError) -> None:
        """The board's operation ends here, with `reason`."""
        self.refusal = reason


@dataclass(frozen=True)
class Ended:
    """A board's operation is over; `error` is why it failed, None when it did not."""

    board: str
    error: DispctlError | None


@dataclass(frozen=True)
class _Broke:
    bug: BaseException


def run_all(operations: Mapping[str, Callable[[], Generator[E, None, None]]]) -> Iterator[Step[E] | Ended]:
    """Run the operation of every board; ends when all have ended. Leaving early leaves the boards where they are."""
    steps: queue.Queue[Step[E] | Ended | _Broke] = queue.Queue()
    stopping = threading.Event()
    threads = [
        threading.Thread(target=_run, args=(board, operation, steps, stopping), name=board, daemon=True)
        for board, operation in operations.items()
    ]
    for thread in threads:
        thread.start()
    left = len(threads)
    try:
        while left:
            step = _next(steps)
            if isinstance(step, _Broke):
                raise step.bug
            left -= isinstance(step, Ended)
            yield step
            if isinstance(step, Step):
                step.dealt_with.set()
    finally:
        stopping.set()
        for thread in threads:
            thread.join(_LAST_WORDS_S if left else None)


def _next(steps: queue.Queue[Step[E] | Ended | _Broke]) -> Step[E] | Ended | _Broke:
    while True:
        try:
            return steps.get(timeout=_LOOK_INTERVAL_S)  # without a time-out Windows would not see Ctrl-C
        except queue.Empty:
            continue


def _run(
    board: str,
    operation: Callable[[], Generator[E, None, None]],
    steps: queue.Queue[Step[E] | Ended | _Broke],
    stopping: threading.Event,
) -> None:
    try:
        with closing(operation()) as events:
            for event in events:
                step = Step(board, event)
                steps.put(step)
                while not step.dealt_with.wait(_LOOK_INTERVAL_S):
                    if stopping.is_set():
                        return
                if step.refusal is not None:
                    steps.put(Ended(board, step.refusal))
                    return
        steps.put(Ended(board, None))
    except DispctlError as error:
        steps.put(Ended(board, error))
    except BaseException as bug:  # noqa: BLE001 - raised again by run_all
        steps.put(_Broke(bug))
