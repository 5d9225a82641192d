"""News of a job over the backend's WebSocket: the only module that knows websockets; shows nothing.

The socket says *that* something happened; what, is asked for over HTTP. So a backend without a socket, a socket that
dies and a message that is lost cost time and never a result.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from dispctl.adapters.backend_address import is_loopback

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from typing_extensions import Self
    from websockets.sync.client import ClientConnection

OPEN_TIMEOUT_S = 5.0
RETRY_AFTER_S = 15.0
SILENCE_S = 5.0
"""The socket tells of a job's end only (`design/contract.md`): after so long the job is asked for all the same."""
REFUSALS = range(4000, 5000)
"""Close codes of the application: nobody is signed in, or it is not this operator's job; asking again is no use."""


class JobNews:
    """Waits for news of one job, a context manager; without a connection it tries again now and then, and every wait means *ask*.

    `cookie` is the header's whole value; `trust` is the TLS context for ``https``, None for the system's.
    """

    def __init__(
        self,
        base_url: str,
        job_id: int,
        *,
        cookie: str | None,
        trust: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(base_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        self._uri = urlunsplit((scheme, parts.netloc, f"{parts.path}/ws/jobs/{job_id}", "", ""))
        self._cookie = cookie
        self._trust = trust if scheme == "wss" else None
        self._now = now
        self._pause = pause
        self._connection: ClientConnection | None = None
        self._open = ExitStack()
        self._next_try_s = now()
        self._asked_s = now()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def live(self) -> bool:
        """Whether the backend's word comes by itself at the moment."""
        return self._connection is not None

    def wait(self, timeout_s: float) -> bool:
        """Wait for at most `timeout_s`; whether the job should be asked for now."""
        if self._connection is None and self._now() >= self._next_try_s:
            self._connect()
        if self._connection is None:
            self._pause(timeout_s)
            return self._asking()
        heard = self._hear(self._connection, timeout_s)
        silent = self._now() - self._asked_s >= SILENCE_S
        return self._asking() if heard or silent else False

    def close(self) -> None:
        """End the connection."""
        self._connection = None
        self._open.close()

    def _asking(self) -> bool:
        self._asked_s = self._now()
        return True

    def _connect(self) -> None:
        from websockets.exceptions import WebSocketException

        self._next_try_s = self._now() + RETRY_AFTER_S
        with suppress(OSError, WebSocketException):
            self._connection = self._open.enter_context(_connection(self._uri, self._cookie, self._trust))

    def _hear(self, connection: ClientConnection, timeout_s: float) -> bool:
        """Whether there was a message, or the connection was lost (which is news as well)."""
        from websockets.exceptions import WebSocketException

        try:
            connection.recv(timeout=timeout_s)
        except TimeoutError:
            return False
        except (OSError, WebSocketException) as error:
            self._lost(error)
        return True

    def _lost(self, error: Exception) -> None:
        self.close()
        received: Any = getattr(error, "rcvd", None)
        refused = received is not None and received.code in REFUSALS
        self._next_try_s = float("inf") if refused else self._now() + RETRY_AFTER_S


def _connection(
    uri: str, cookie: str | None, trust: ssl.SSLContext | None
) -> AbstractContextManager[ClientConnection]:
    from websockets.sync.client import connect

    return connect(
        uri,
        additional_headers={"Cookie": cookie} if cookie else None,
        ssl=trust,
        open_timeout=OPEN_TIMEOUT_S,
        close_timeout=1,
        # A proxy for the internet has no way to a server on this machine.
        proxy=None if is_loopback(uri) else True,
    )
