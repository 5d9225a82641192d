"""One direction of a serial line: bytes arrive at the sender's speed, and as garbage if the receiver's differs.

Knows asyncio's clock and nothing of what the bytes mean or who carries them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BITS_PER_BYTE = 10  # 8N1: start, eight data bits, stop
SLICE_S = 0.005  # bytes are handed over at most this late; a shorter slice only costs more wake-ups
TOLERANCE = (
    0.04  # a UART samples the stop bit right while the speeds differ by less than about half a bit in ten
)

_FRAMES = [bytes([0, *((byte >> bit) & 1 for bit in range(8)), 1]) for byte in range(256)]


def as_received(data: bytes, sent_baud: int, received_baud: int) -> bytes:
    """`data`, sent at `sent_baud`, as a UART set to `received_baud` samples it; the line idles before and after."""
    if abs(sent_baud - received_baud) <= TOLERANCE * received_baud:
        return data
    levels = b"".join(_FRAMES[byte] for byte in data)
    step = sent_baud / received_baud  # the receiver's bit, counted in the sender's
    received = bytearray()
    start = levels.find(0)
    while start >= 0:
        received.append(_sample(levels, start, step))
        stop = levels.find(1, int(start + 9.5 * step))  # a new start bit needs a high level before it
        start = levels.find(0, stop) if stop >= 0 else -1
    return bytes(received)


def _sample(levels: bytes, start: int, step: float) -> int:
    """The byte that a UART reads from the start bit that begins at level `start`, in the middle of each bit."""
    byte = 0
    for bit in range(8):
        position = int(start + (bit + 1.5) * step)
        if position >= len(levels) or levels[position]:
            byte |= 1 << bit
    return byte


class SerialLine:
    """Carries bytes to `deliver`, one direction only.

    `paced`: they arrive at their sender's speed, handed over in slices of `SLICE_S`; else at once. `receiver_baud` is
    asked when bytes arrive; with another speed than the sender's they arrive as garbage.
    """

    def __init__(
        self, deliver: Callable[[bytes], None], receiver_baud: Callable[[], int], *, paced: bool
    ) -> None:
        self.paced = paced
        self._deliver = deliver
        self._receiver_baud = receiver_baud
        self._queue: deque[tuple[bytes, int]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._free_at = 0.0  # when the last byte that was begun has passed, on the loop's clock
        self._suspended = False

    def write(self, data: bytes, baud: int) -> None:
        """Send `data` at `baud`, after what was written before it."""
        if not data:
            return
        if not self._queue:
            self._begin_burst()
        self._queue.append((data, baud))
        self._go_on()

    def purge(self) -> None:
        """Throw away what has not arrived."""
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def suspend(self, *, on: bool) -> None:
        """Hold everything back while `on`."""
        self._suspended = on
        self._begin_burst()
        self._go_on()

    def _begin_burst(self) -> None:
        """After silence the next byte begins now, not when the last one ended."""
        if self.paced:
            self._free_at = max(self._free_at, asyncio.get_running_loop().time())

    def _go_on(self) -> None:
        if self._timer is not None:
            return
        while self._queue and not self._suspended:
            data, baud = self._queue[0]
            if self.paced:
                self._schedule(len(data), baud)
                return
            self._queue.popleft()
            self._hand_over(data, baud)

    def _schedule(self, waiting: int, baud: int) -> None:
        """Begin a slice: its bytes are handed over when the last of them has passed."""
        loop = asyncio.get_running_loop()
        count = min(waiting, max(1, int(SLICE_S * baud / BITS_PER_BYTE)))
        self._free_at += count * BITS_PER_BYTE / baud
        self._timer = loop.call_at(self._free_at, self._end_slice, count)

    def _end_slice(self, count: int) -> None:
        self._timer = None
        data, baud = self._queue.popleft()
        if len(data) > count:
            self._queue.appendleft((data[count:], baud))
        self._hand_over(data[:count], baud)
        self._go_on()

    def _hand_over(self, data: bytes, baud: int) -> None:
        received = as_received(data, baud, self._receiver_baud())
        if received:
            self._deliver(received)
