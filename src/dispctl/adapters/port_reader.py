"""What a port delivers over time, through unplugging and resets; knows nothing of lines.

A thread does nothing but read and queue, so that a slow terminal loses no byte. The port is opened without a reset and
nothing is ever written to it.
"""

from __future__ import annotations

import functools
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters.port import DEFAULT_BAUD, close_port, open_port
from dispctl.errors import DispctlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from dispctl.adapters.port import SerialPort

READ_TIMEOUT_S = 0.05
REOPEN_INTERVAL_S = 0.1
"""With the read's time-out and the opening itself this keeps reattachment well under half a second."""
_MOST_BYTES = 65536


@dataclass(frozen=True)
class Moment:
    """A point in time: `monotonic_s` to measure by, `epoch_s` (seconds since 1970) to show."""

    monotonic_s: float
    epoch_s: float

    @classmethod
    def now(cls) -> Moment:
        """The present moment."""
        return cls(time.monotonic(), time.time())


@dataclass(frozen=True)
class Opened:
    """The port is open, under `port` (its number may have changed); `again` when it had been lost."""

    moment: Moment
    again: bool
    port: str


@dataclass(frozen=True)
class Received:
    """Bytes, and when they were read; a recording does not tell when."""

    moment: Moment | None
    data: bytes


@dataclass(frozen=True)
class Closed:
    """The port was lost; `reason` is the system's."""

    moment: Moment
    reason: str


@dataclass(frozen=True)
class Quiet:
    """Nothing came for the reader's patience."""

    moment: Moment


PortItem = Opened | Received | Closed | Quiet


def read_port(
    name: str,
    *,
    baud: int = DEFAULT_BAUD,
    stop: threading.Event | None = None,
    opener: Callable[..., SerialPort] = open_port,
    patience_s: float = 0.1,
) -> Generator[PortItem]:
    """What happens on the port until `stop` is set or the iterator is closed; a `Quiet` at least every `patience_s`.

    The first opening must succeed (errors are those of `open_port`); after that a lost port is tried again for ever.
    """
    reader = _Reader(name, baud, opener)
    reader.start()
    try:
        while stop is None or not stop.is_set():
            try:
                yield reader.items.get(timeout=patience_s)
            except queue.Empty:
                yield Quiet(Moment.now())
    finally:
        reader.stop()


def read_recording(path: Path) -> Iterator[PortItem]:
    """A raw recording, as `Received` pieces without a moment; raises UsageError when it cannot be read."""
    try:
        with path.open("rb") as file:
            while data := file.read(_MOST_BYTES):
                yield Received(None, data)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


class _Reader:
    def __init__(self, name: str, baud: int, opener: Callable[..., SerialPort]) -> None:
        self.items: queue.SimpleQueue[PortItem] = queue.SimpleQueue()
        self._open = functools.partial(opener, name, baud=baud, timeout_s=READ_TIMEOUT_S)
        self._stopping = threading.Event()
        self._port = self._open()
        self._thread = threading.Thread(target=self._run, name=f"reader of {name}", daemon=True)

    def start(self) -> None:
        self.items.put(Opened(Moment.now(), again=False, port=self._port.name))
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._read_until_lost()
            close_port(self._port)
            self._reopen()

    def _read_until_lost(self) -> None:
        try:
            while not self._stopping.is_set():
                data = self._port.read(max(1, min(self._port.in_waiting, _MOST_BYTES)))
                if data:
                    self.items.put(Received(Moment.now(), data))
        except OSError as error:
            self.items.put(Closed(Moment.now(), str(error)))

    def _reopen(self) -> None:
        while not self._stopping.is_set():
            try:
                self._port = self._open()
            except (DispctlError, OSError):  # still unplugged, or not ready yet
                self._stopping.wait(REOPEN_INTERVAL_S)
            else:
                self.items.put(Opened(Moment.now(), again=True, port=self._port.name))
                return
