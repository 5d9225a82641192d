"""Runs the backend in this process until it is asked to stop; knows sockets and signals, not HTTP."""

import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from dispctl.backend.dependencies import Services

logger = logging.getLogger(__name__)

GRACE_S = 10
BACKLOG = 2048
# A fleet keeps a connection a board open; the rest of the process needs a few dozen files, most of them the database's.
FILES_OF_A_FLEET = 4096
FILES_OF_ITS_OWN = 100
MOST_FILES_ON_MACOS = 10_240
# New objects before the youngest are gone through; how often that is before the next older ones are, and the oldest.
GARBAGE_THRESHOLDS = (5_000, 4, 1_000)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at `host` and `port` (0: any free one); raises `OSError`.

    It names its protocol, where `socket.create_server` does not: only so does asyncio switch Nagle's algorithm off on
    what it accepts, which otherwise holds the second half of every answer back for 40 ms.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # there it would let two processes have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """The address of a listening socket, as a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    app: FastAPI,
    listener: socket.socket,
    *,
    on_ready: Callable[[], None],
    requests: bool = False,
    as_json: bool = False,
) -> signal.Signals | None:
    """Answer until SIGINT or SIGTERM, finish what was accepted (at most `GRACE_S` seconds), and return the signal.

    `on_ready` is called once the backend answers. Standard error tells of trouble and, where asked for, of `requests`,
    in words or as JSON, an object a line. A second signal ends it at once.
    """
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",  # the other one is built on what the websockets library has deprecated
        log_config=_logging(requests=requests, as_json=as_json),
        access_log=False,  # dispctl.backend.telemetry tells of requests
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
    )
    _prepare_for_fleet()  # now that records are written as they were asked for
    server = _Server(config, app.state.services, on_ready)
    server.run(sockets=[listener])
    return server.stopped_by


def allow_many_connections() -> int | None:
    """Have this process open as many files as the system lets it; returns how many, None where that is not limited.

    Every board that waits keeps a connection open.
    """
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for most in (hard, max(soft, MOST_FILES_ON_MACOS)):  # which lets no process have what its hard limit says
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
            break
    return None if soft == resource.RLIM_INFINITY else soft


def _collect_seldom() -> None:
    """Have Python's garbage collector look at what lives long once in millions of new objects instead of thousands.

    Ten thousand boards that wait are a million objects. Going through them takes more than half a second in which nobody
    is answered, and by its own measure the collector did so every other second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def _prepare_for_fleet() -> None:
    _collect_seldom()
    files = allow_many_connections()
    if files is not None and files < FILES_OF_A_FLEET:
        logger.warning(
            "At most %d files can be open: so many boards, less %d, can be connected. Raise the limit (ulimit -Hn), or "
            "have several processes serve one PostgreSQL.",
            files,
            FILES_OF_ITS_OWN,
        )


def _logging(*, requests: bool, as_json: bool) -> dict[str, Any]:
    words = {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    lines = {"()": "dispctl.backend.telemetry.JsonLines"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": lines if as_json else words},
        "handlers": {"standard error": {"class": "logging.StreamHandler", "formatter": "chosen"}},
        "root": {"handlers": ["standard error"], "level": "WARNING"},
        "loggers": {"dispctl.backend.requests": {"level": "INFO" if requests else "WARNING"}},
    }


class _Server(uvicorn.Server):
    """Uvicorn's server, which says when it is ready and keeps the signal to itself."""

    def __init__(self, config: uvicorn.Config, services: Services, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._services = services
        self._on_ready = on_ready
        self.stopped_by: signal.Signals | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer the boards that wait for a job, or they would be waited for; then stop."""
        self._services.stop_waiting()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop gracefully on a signal. Uvicorn would raise it again afterwards and so end the process by it."""
        caught = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._stop) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True
        self.stopped_by = signal.Signals(number)
