"""Answers boards that ask for a job while there is none, before anything else of the application runs.

A thousand boards ask a thousand times a second, and nearly always in vain. So those who ask while one query runs share
the next one, and none of them costs a thread, a transaction or a model of its own. A board for which there is something,
or that nobody knows, is passed on to the application.

A board may also wait (``?wait=SECONDS``, at most `LONGEST_WAIT_S`, which every answer announces in the header
`WAIT_HEADER`): it is answered the moment its operator's queue changes.
"""

import asyncio
import re
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from dispctl.backend.dependencies import Services
from dispctl.backend.refusals import StoreBusyError
from dispctl.backend.security import digest
from dispctl.backend.store import polls
from dispctl.backend.store.polls import Poll

PATH = "/devices/me/next_job"
LONGEST_WAIT_S = 25
WAIT_HEADER = "Poll-Wait"
# More would make one query slow for all who share it.
MOST_AT_ONCE = 500

_SECONDS = re.compile("[0-9]{1,9}")
_NOTHING = {
    "type": "http.response.start",
    "status": 204,
    "headers": [(WAIT_HEADER.lower().encode(), str(LONGEST_WAIT_S).encode())],
}


class Lookups:
    """Looks tokens up, many at a time; belongs to the event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._asked: dict[str, list[asyncio.Future[Poll | None]]] = {}
        self._working: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "polls")

    async def look_up(self, token: str) -> Poll | None:
        """The board that holds the token, if there is one; raises `StoreBusyError`."""
        token_hash = digest(token)
        future: asyncio.Future[Poll | None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(token_hash, []).append(future)
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await future

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False)

    async def _work(self) -> None:
        try:
            while self._asked:
                await self._answer(
                    {token: self._asked.pop(token) for token in list(self._asked)[:MOST_AT_ONCE]}
                )
        finally:
            self._working = None

    async def _answer(self, asked: "dict[str, list[asyncio.Future[Poll | None]]]") -> None:
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._find, asked)
        except Exception as failure:  # noqa: BLE001 - it is theirs who asked, and nobody else would tell them
            for future in chain.from_iterable(asked.values()):
                if not future.done():  # whoever asked may have gone
                    future.set_exception(failure)
            return
        for token_hash, futures in asked.items():
            for future in futures:
                if not future.done():
                    future.set_result(found.get(token_hash))

    def _find(self, token_hashes: Collection[str]) -> dict[str, Poll]:
        database, now = self._services.database, self._services.now()
        with database.read() as session:
            found = polls.look_up(session, token_hashes)
        # A write for every poll would cost more than the poll.
        seldom = self._services.settings.online_within / 3
        silent = [poll.device_id for poll in found.values() if now - poll.last_seen > seldom]
        if silent:
            with database.write(durable=False) as session:
                polls.saw_all(session, silent, now)
        return found


class PollAnswers:
    """ASGI middleware that answers boards for which there is nothing."""

    def __init__(self, app: ASGIApp, services: Services, lookups: Lookups) -> None:
        self._app = app
        self._services = services
        self._lookups = lookups

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET":
            token, wait_s = _token(scope), _wait_s(scope)
            if token is not None and wait_s is not None and await self._waits_in_vain(token, wait_s):
                await send(_NOTHING)
                await send({"type": "http.response.body", "body": b""})
                return
        await self._app(scope, receive, send)

    async def _waits_in_vain(self, token: str, wait_s: float) -> bool:
        """Whether there is nothing for the board, nor will be for so long; False also when nobody knows."""
        loop, queues = asyncio.get_running_loop(), self._services.queues
        deadline = loop.time() + wait_s
        while True:
            before = queues.announced
            try:
                poll = await self._lookups.look_up(token)
            except StoreBusyError:
                return False
            if poll is None or poll.has_job:
                return False
            if loop.time() >= deadline or self._services.stopping:
                return True
            with queues.watching(poll.operator_id) as changed:
                if queues.announced == before:
                    timer = loop.call_at(deadline, changed.set)
                    await changed.wait()
                    timer.cancel()
            if self._services.stopping:  # nobody has the time to look once more for all who wait
                return True


def _token(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() == "bearer" else None
    return None


def _wait_s(scope: Scope) -> int | None:
    """How long the board wants to wait, in seconds; None where it says so in a way that has to be refused."""
    if not scope["query_string"]:
        return 0
    asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("wait", ["0"])[-1]
    return min(int(asked), LONGEST_WAIT_S) if _SECONDS.fullmatch(asked) else None
