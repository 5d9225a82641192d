"""A board at the end of a pseudo-terminal: answers control lines as told and prints what a test wants printed."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import tty
from typing import TYPE_CHECKING, Any

from dispctl.firmware.control_lines import RequestError, format_answer, format_refusal, parse_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Handler = Callable[[dict[str, Any]], dict[str, Any] | str | None]


class FakeBoard:
    """`handlers` by op: a dict is the answer, a text a refusal, None silence. `requests` keeps what came, as it came."""

    def __init__(self, **handlers: Handler) -> None:
        self.handlers = handlers
        self.requests: list[bytes] = []
        self.mangle: Callable[[bytes], bytes] = bytes
        self._board_end, terminal_end = pty.openpty()
        tty.setraw(terminal_end)
        self.port = os.ttyname(terminal_end)
        self._terminal_end = terminal_end
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="fake board")

    @property
    def ops(self) -> list[str]:
        """The operations asked for so far, in order."""
        parsed = [parse_request(line) for line in self.requests]
        return [request["op"] for request in parsed if request]

    def print(self, text: str) -> None:
        """Print a line of the log."""
        self.write(text.encode() + b"\r\n")

    def write(self, data: bytes) -> None:
        """Put bytes on the line as they are."""
        while data:
            data = data[os.write(self._board_end, data) :]

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Fall silent and go away, as an unplugged board does."""
        if self._thread.is_alive():
            os.write(self._wake_write, b"x")
            self._thread.join()
        for end in (self._board_end, self._terminal_end, self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(end)

    def _run(self) -> None:
        received = b""
        while True:
            ready, _, _ = select.select([self._board_end, self._wake_read], [], [])
            if self._wake_read in ready:
                return
            received += self.mangle(os.read(self._board_end, 4096))
            *lines, received = received.split(b"\n")
            for line in filter(None, lines):
                self._answer(line)

    def _answer(self, line: bytes) -> None:
        self.requests.append(line)
        try:
            request = parse_request(line)
        except RequestError as error:
            self.print(format_refusal(error.request_id, error.reason))
            return
        if request is None:
            return
        handler = self.handlers.get(request["op"])
        answer = handler(request) if handler else "unknown op"
        if isinstance(answer, str):
            self.print(format_refusal(request["id"], answer))
        elif answer is not None:
            self.print(format_answer(request["id"], answer))


@contextlib.contextmanager
def running(board: FakeBoard) -> Iterator[FakeBoard]:
    """The board, answering while the block runs."""
    board.start()
    try:
        yield board
    finally:
        board.stop()
