"""HTTP/1.1 over one kept connection, no more than a board's: what httpx costs would be measured instead."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

ANSWER_WITHIN_S = 60


@dataclass(frozen=True)
class Answer:
    """An answer; `body` is empty where there is none."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


class Connection(asyncio.Protocol):
    """One connection, one request at a time; made anew when the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[Answer] | None = None

    async def request(self, method: str, path: str, header: str, body: Any = None) -> Answer:
        """Send a request with one header and, if given, a JSON body; raises `OSError` when the connection fails."""
        loop = asyncio.get_running_loop()
        if self._transport is None:
            await loop.create_connection(lambda: self, *self._address)
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: backend\r\n{header}\r\nContent-Length: {len(content)}\r\n"
        kind = "Content-Type: application/json\r\n" if content else ""
        self._answer = loop.create_future()
        assert self._transport is not None
        self._transport.write(f"{head}{kind}\r\n".encode() + content)
        # Not wait_for: before Python 3.12 it forgets a cancellation that comes with the answer.
        too_late = loop.call_later(ANSWER_WITHIN_S, self.close)
        try:
            return await self._answer
        finally:
            too_late.cancel()

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed"))

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = _content_length(head)
        if len(rest) >= length and self._answer is not None and not self._answer.done():
            self._received = rest[length:]
            self._answer.set_result(Answer(int(head[9:12]), rest[:length]))


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
