"""Answers boards that ask for a job while there is none, before anything else of the application runs.

A thousand boards ask a thousand times a second, and nearly always in vain. So they are looked up many at a time
(`dispctl.backend.boards`), and none of them costs a model of its own. A board for which there is something, or that
nobody knows, is passed on to the application.

A board may also wait (``?wait=SECONDS``, at most `LONGEST_WAIT_S`, which every answer announces in the header
`WAIT_HEADER`): it is answered the moment its operator's queue changes.
"""

import asyncio
import re
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from dispctl.backend.dependencies import Services
from dispctl.backend.refusals import StoreBusyError

PATH = "/devices/me/next_job"
LONGEST_WAIT_S = 25
WAIT_HEADER = "Poll-Wait"

_SECONDS = re.compile("[0-9]{1,9}")
_NOTHING = {
    "type": "http.response.start",
    "status": 204,
    "headers": [(WAIT_HEADER.lower().encode(), str(LONGEST_WAIT_S).encode())],
}


class PollAnswers:
    """ASGI middleware that answers boards for which there is nothing."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

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
                board = await self._services.boards.with_token(token)
            except StoreBusyError:
                return False
            if board is None or board.has_job:
                return False
            if loop.time() >= deadline or self._services.stopping:
                return True
            with queues.watching(board.operator_id) as changed:
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
