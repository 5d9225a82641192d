"""Has what many ask for in the same moment done together; knows nothing of what that is.

A thousand boards ask a thousand times a second. Whoever asks while work is in hand shares the next piece of work, so that
none of them costs a thread or a transaction of its own.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from dispctl.backend.refusals import Refusal

# More would make one piece of work slow for all who share it.
MOST_AT_ONCE = 500

Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class Batches(Generic[Asked, Answered]):
    """Calls `work`, in a thread of its own, with what is asked for and expects as many answers, in order.

    It belongs to the event loop. A `Refusal` that `work` raises is everybody's; after anything else each is tried alone,
    so that who asks what breaks the work breaks nobody else's.
    """

    def __init__(self, name: str, work: Callable[[Sequence[Asked]], Sequence[Answered]]) -> None:
        self._work = work
        self._asked: list[tuple[Asked, asyncio.Future[Answered]]] = []
        self._working: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, name)

    async def ask(self, asked: Asked) -> Answered:
        """The answer to this one; raises what `work` raises for it."""
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._asked.append((asked, future))
        if self._working is None:
            self._working = asyncio.create_task(self._answer_all())
        return await future

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False)

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                batch, self._asked = self._asked[:MOST_AT_ONCE], self._asked[MOST_AT_ONCE:]
                await self._answer(batch)
        finally:
            self._working = None

    async def _answer(self, batch: list[tuple[Asked, asyncio.Future[Answered]]]) -> None:
        try:
            answers = await self._in_thread([asked for asked, _ in batch])
        except Exception as failure:  # noqa: BLE001 - it is theirs who asked, and nobody else would tell them
            if len(batch) == 1 or isinstance(failure, Refusal):
                _fail(batch, failure)
                return
            for one in batch:
                await self._answer([one])
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():  # whoever asked may have gone
                future.set_result(answer)

    async def _in_thread(self, asked: Sequence[Asked]) -> Sequence[Answered]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, asked)


def _fail(batch: list[tuple[Asked, asyncio.Future[Answered]]], failure: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(failure)
