"""What ports deliver over time, through unplugging, resets and renumbering; knows nothing of lines.

A thread for each port does nothing but read and queue, so that a slow terminal loses no byte. A port is opened without
a reset, and nothing is written to it unless the caller says so.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters.port import DEFAULT_BAUD, close_port, open_port
from dispctl.adapters.usb_identity import UsbIdentity
from dispctl.errors import BoardNotFoundError, DispctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from dispctl.adapters.port import SerialPort

READ_TIMEOUT_S = 0.05
REOPEN_INTERVAL_S = 0.1
"""With the read's time-out and the opening itself this keeps reattachment well under half a second."""
PATIENCE_S = 0.1
RESET_PULSE_S = 0.1
_MOST_BYTES = 65536
_MOST_WAITING_BYTES = 16 << 20
"""What may wait for a terminal that takes nothing, before reading stops: 24 minutes of a full line at 115200 baud."""


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
) -> Generator[PortItem]:
    """What happens on the port until `stop` is set or the iterator is closed; a `Quiet` every `PATIENCE_S` of silence.

    The first opening must succeed (errors are those of `open_port`); after that a lost port is tried again for ever.
    """
    ports = PortReaders({name: name}, baud=baud, opener=opener)
    try:
        for _, item in ports.items(stop):
            yield item
    finally:
        ports.close()


class PortReaders:
    """Several ports, each under its own label; what they deliver comes in the order in which it came in."""

    def __init__(
        self,
        ports: Mapping[str, str],
        *,
        baud: int = DEFAULT_BAUD,
        opener: Callable[..., SerialPort] = open_port,
    ) -> None:
        self._items = _ItemQueue()
        self._readers: dict[str, _Reader] = {}
        try:
            for label, name in ports.items():
                self._readers[label] = _Reader(label, name, baud, opener, self._items)
        except BaseException:
            self.close()
            raise
        for reader in self._readers.values():
            reader.start()

    def items(self, stop: threading.Event | None = None) -> Generator[tuple[str, PortItem]]:
        """What happens, with the port's label, until `stop` is set."""
        while stop is None or not stop.is_set():
            found = self._items.take(PATIENCE_S)
            if found is not None:
                yield found

    def write(self, label: str, data: bytes) -> None:
        """Type `data`; raises BoardNotFoundError while the port is lost."""
        self._readers[label].write(data)

    def reset(self, label: str) -> None:
        """Reset the board by its EN line; raises BoardNotFoundError while the port is lost."""
        self._readers[label].reset()

    def close(self) -> None:
        """Stop reading and close the ports without a reset."""
        self._items.open_wide()
        for reader in self._readers.values():
            reader.stop()


class _ItemQueue:
    """What waits to be taken: any number of items, a bounded number of bytes."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[str, PortItem]] = queue.SimpleQueue()
        self._room = threading.Condition()
        self._waiting_bytes = 0
        self._limit_bytes: float = _MOST_WAITING_BYTES

    def put(self, label: str, item: PortItem) -> None:
        if isinstance(item, Received):
            with self._room:
                self._room.wait_for(lambda: self._waiting_bytes < self._limit_bytes)
                self._waiting_bytes += len(item.data)
        self._queue.put((label, item))

    def take(self, patience_s: float) -> tuple[str, PortItem] | None:
        """The next item; None when none came."""
        try:
            label, item = self._queue.get(timeout=patience_s)
        except queue.Empty:
            return None
        if isinstance(item, Received):
            with self._room:
                self._waiting_bytes -= len(item.data)
                self._room.notify_all()
        return label, item

    def open_wide(self) -> None:
        """Let nobody wait any more: nothing is taken from here on."""
        with self._room:
            self._limit_bytes = float("inf")
            self._room.notify_all()


class _Reader:
    """One port's thread, and its identity, by which it is found again under another number."""

    def __init__(
        self, label: str, name: str, baud: int, opener: Callable[..., SerialPort], items: _ItemQueue
    ) -> None:
        self._label, self._name, self._baud, self._opener, self._items = label, name, baud, opener, items
        self._stopping = threading.Event()
        self._lost = False
        self._port = self._open(name)
        self._identity = None if "://" in self._port.name else UsbIdentity.of(self._port.name)
        self._thread = threading.Thread(target=self._run, name=f"reader of {name}", daemon=True)

    def start(self) -> None:
        self._tell(Opened(Moment.now(), again=False, port=self._port.name))
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        else:
            close_port(self._port)

    def write(self, data: bytes) -> None:
        with self._attached() as port:
            port.write(data)

    def reset(self) -> None:
        """EN is low while RTS is asserted and DTR is not; IO0 stays high, so that the program starts."""
        with self._attached() as port:
            port.dtr = False
            port.rts = True
            time.sleep(RESET_PULSE_S)
            port.rts = False

    @contextmanager
    def _attached(self) -> Iterator[SerialPort]:
        if self._lost:
            raise BoardNotFoundError(f"{self._name} is not there.", hint="Plug the board in again.")
        try:
            yield self._port
        except OSError as error:
            raise BoardNotFoundError(f"{self._name} was lost: {error}.") from error

    def _open(self, name: str) -> SerialPort:
        return self._opener(name, baud=self._baud, timeout_s=READ_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._read_until_lost()
            self._lost = True
            close_port(self._port)
            self._reopen()

    def _read_until_lost(self) -> None:
        quiet_due_s = 0.0  # at once: a prompt is shown when the line falls silent
        try:
            while not self._stopping.is_set():
                data = self._port.read(max(1, min(self._port.in_waiting, _MOST_BYTES)))
                now = Moment.now()
                if data:
                    self._tell(Received(now, data))
                    quiet_due_s = now.monotonic_s
                elif now.monotonic_s >= quiet_due_s:
                    self._tell(Quiet(now))
                    quiet_due_s = now.monotonic_s + PATIENCE_S
        except OSError as error:
            self._tell(Closed(Moment.now(), str(error)))

    def _reopen(self) -> None:
        while not self._stopping.is_set():
            try:
                self._port = self._open(self._present_name())
            except (DispctlError, OSError):  # still unplugged, or not ready yet
                self._tell(Quiet(Moment.now()))
                self._stopping.wait(REOPEN_INTERVAL_S)
            else:
                self._lost = False
                self._tell(Opened(Moment.now(), again=True, port=self._port.name))
                return

    def _present_name(self) -> str:
        if self._identity is None:
            return self._name
        return self._identity.present_path() or self._name

    def _tell(self, item: PortItem) -> None:
        self._items.put(self._label, item)
