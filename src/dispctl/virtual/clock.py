"""Board time: the host's steady clock, run at the board's speed, from 0 when the virtual board was switched on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class BoardClock:
    """Runs `speed` times as fast as `host_s`, a steady clock in seconds."""

    def __init__(self, speed: float = 1.0, host_s: Callable[[], float] = time.monotonic) -> None:
        self.speed = speed
        self._host_s = host_s
        self._origin_s = host_s()

    def now_us(self) -> int:
        """Microseconds of board time."""
        return round((self._host_s() - self._origin_s) * self.speed * 1e6)

    def now_ms(self) -> int:
        """Milliseconds of board time."""
        return self.now_us() // 1000

    def host_seconds(self, board_ms: float) -> float:
        """How long `board_ms` last on the host."""
        return board_ms / 1000 / self.speed
