"""The network between board and backend: passes everything on, and refuses what a test blocks."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class Gateway:
    """An HTTP proxy on loopback before `backend_url`; `block` makes it drop matching requests without an answer."""

    def __init__(self, backend_url: str) -> None:
        self.dropped = 0
        self._blocked: re.Pattern[str] | None = None
        self._client = httpx.Client(base_url=backend_url, timeout=10)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def block(self, pattern: str) -> None:
        """Drop every request whose ``METHOD /path`` matches the regular expression."""
        self._blocked = re.compile(pattern)

    def unblock(self) -> None:
        """Pass everything on again."""
        self._blocked = None

    def close(self) -> None:
        """Stop listening and let go of the backend."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._client.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                gateway.handle(self)

            def do_POST(self) -> None:
                gateway.handle(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Say nothing: the test's own output is what counts."""

        return Handler

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Pass one request on, or drop its connection."""
        if self._blocked and self._blocked.search(f"{request.command} {request.path}"):
            self.dropped += 1
            request.close_connection = True
            return
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in request.headers.items() if k.lower() in {"authorization", "content-type"}}
        answer = self._client.request(request.command, request.path, content=body, headers=headers)
        request.send_response(answer.status_code)
        request.send_header("Content-Type", answer.headers.get("content-type", "application/json"))
        if answer.status_code != httpx.codes.NO_CONTENT:
            request.send_header("Content-Length", str(len(answer.content)))
        request.end_headers()
        request.wfile.write(answer.content)
