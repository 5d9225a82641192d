"""A gateway before a real backend that spoils the answers to ``POST /jobs`` as told; everything else passes."""

from __future__ import annotations

import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from typing_extensions import Self

FAULTS = ("silent", "cut", "garbled", "closed", "500", "502", "409", "twice")
"""``silent``: no answer until the client gives up; ``cut``: the connection ends in mid-answer; ``garbled``: no JSON;
``closed``: not a byte; a status; ``twice``: the answer, two times. Each with ``+`` (the backend got the request) or ``-``."""


class FaultyGateway:
    """A context manager; `faults` strike one ``POST /jobs`` each, ``""`` is none."""

    def __init__(self, backend_url: str) -> None:
        self.faults: deque[str] = deque()
        self._backend = httpx.Client(base_url=backend_url, timeout=30)
        self._leaving = threading.Event()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                gateway.pass_on(self, "")

            def do_POST(self) -> None:
                spoiled = self.path == "/jobs" and bool(gateway.faults)
                gateway.pass_on(self, gateway.faults.popleft() if spoiled else "")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._backend.close()

    def pass_on(self, request: BaseHTTPRequestHandler, fault: str) -> None:
        """Hand one request to the backend (not for a fault with ``-``), and answer as the fault wants it."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in request.headers.items() if k.lower() in {"cookie", "content-type"}}
        status, content = 201, b"{}"
        if not fault.endswith("-"):
            answer = self._backend.request(request.command, request.path, content=body, headers=headers)
            status, content = answer.status_code, answer.content
        self._answer(request, fault.rstrip("+-"), status, content)

    def _answer(self, request: BaseHTTPRequestHandler, fault: str, status: int, content: bytes) -> None:
        if fault == "silent":
            self._leaving.wait(2)
        if fault in ("silent", "closed"):
            request.close_connection = True
            return
        if fault.isdecimal():
            status, content = int(fault), b'{"detail": "Spoiled."}'
        if fault == "garbled":
            content = b'{"id": '
        whole = _response(status, content)
        request.wfile.write(
            whole[: len(whole) - 5] if fault == "cut" else whole * (2 if fault == "twice" else 1)
        )
        request.close_connection = fault == "cut"


def _response(status: int, content: bytes) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content
