"""Talks to an ASGI application without a socket: plain httpx clients and WebSockets over one event loop's thread."""

import asyncio
import json
import queue
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

DEADLINE_S = 20
Result = TypeVar("Result")


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run it there and wait for what it returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE_S)

    def close(self) -> None:
        """End the thread."""
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(DEADLINE_S)
        self.loop.close()


class AppTransport(httpx.BaseTransport):
    """Carries requests to the application, each with its answer read to the end."""

    def __init__(self, app: FastAPI, loop: Loop) -> None:
        self._inner = httpx.ASGITransport(app)
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        return self._loop.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()  # a body made bit by bit is a plain iterator, which the other side does not take
        answer = await self._inner.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


class Closed(Exception):  # noqa: N818 - what happened, not that it is wrong
    """The application closed the WebSocket, with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class WebSocket:
    """The client's end of a WebSocket."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: queue.Queue[dict[str, Any]] = queue.Queue()

    def send(self, text: str) -> None:
        """Send a text message."""
        self.push({"type": "websocket.receive", "text": text})

    def receive(self) -> Any:
        """The next message's JSON; raises `Closed`, or `queue.Empty` when none comes in time."""
        event = self._from_app.get(timeout=DEADLINE_S)
        if event["type"] == "websocket.close":
            raise Closed(event["code"])
        return json.loads(event["text"])

    def push(self, event: dict[str, Any]) -> None:
        """Have the application receive an ASGI event."""
        self._loop.loop.call_soon_threadsafe(self._to_app.put_nowait, event)

    async def serve(
        self, app: FastAPI, path: str, cookies: httpx.Cookies, headers: dict[str, str] | None = None
    ) -> None:
        """Run the application for this connection to its end; further `headers` by names in small letters."""
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        scope = {
            "type": "websocket",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "scheme": "ws",
            "root_path": "",
            "client": ("testclient", 1),
            "server": ("testserver", 80),
            "headers": [
                (name.encode(), value.encode())
                for name, value in {"host": "testserver", "cookie": cookie, **(headers or {})}.items()
            ],
            "subprotocols": [],
            "asgi": {"version": "3.0"},
        }
        await app(scope, self._to_app.get, self._send)

    async def _send(self, event: Any) -> None:
        if event["type"] != "websocket.accept":
            self._from_app.put(event)


class Client(httpx.Client):
    """A client of the application, with a cookie jar of its own."""

    def __init__(self, app: FastAPI, loop: Loop, base_url: str = "http://testserver") -> None:
        super().__init__(transport=AppTransport(app, loop), base_url=base_url)
        self._app = app
        self._loop = loop

    @contextmanager
    def websocket(self, path: str, headers: dict[str, str] | None = None) -> Iterator[WebSocket]:
        """A WebSocket with this client's cookies; when the block ends the client goes."""
        socket = WebSocket(self._loop)
        serving = asyncio.run_coroutine_threadsafe(
            socket.serve(self._app, path, self.cookies, headers), self._loop.loop
        )
        socket.push({"type": "websocket.connect"})
        try:
            yield socket
        finally:
            socket.push({"type": "websocket.disconnect", "code": 1000})
            serving.result(DEADLINE_S)
