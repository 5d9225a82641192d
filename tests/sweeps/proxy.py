"""A cable that can be pulled: a TCP proxy before the RFC 2217 port of a virtual board."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE_BYTES = 65536


class PullableCable:
    """Passes connections on to `target` until `pull`; after that it refuses them. Counts the bytes that passed."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)
        self.url = f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"
        self.bytes_to_host = 0

    def pull(self) -> None:
        """Both ends are gone, at once."""
        for end in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):  # it is gone already
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # pulled
            while True:
                host, _ = self._listener.accept()
                board = socket.create_connection(self._target)
                for end in (host, board):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += [host, board]
                self._start(self._pass, host, board, False)
                self._start(self._pass, board, host, True)

    def _pass(self, source: socket.socket, target: socket.socket, to_host: bool) -> None:
        with contextlib.suppress(OSError):  # pulled, or the other end left
            while data := source.recv(_PIECE_BYTES):
                self.bytes_to_host += len(data) * to_host
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()


@contextlib.contextmanager
def pullable(cable: str) -> Iterator[PullableCable]:
    """A cable before the one that `sim run` tells, ``rfc2217://HOST:PORT``."""
    host, port = cable.removeprefix("rfc2217://").rsplit(":", 1)
    made = PullableCable((host, int(port)))
    try:
        yield made
    finally:
        made.pull()
