"""Samples to the figures that the documents quote, and how late this machine itself was meanwhile."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self


def quantile(samples: Sequence[float], part: float) -> float:
    """The smallest sample that at least `part` (0 to 1) of the samples do not exceed."""
    ordered = sorted(samples)
    return ordered[max(math.ceil(part * len(ordered)) - 1, 0)]


def summary(samples: Sequence[float], unit: str = "ms") -> str:
    """Count, median, p99 and worst in one line."""
    median, p99, worst = quantile(samples, 0.5), quantile(samples, 0.99), max(samples)
    return f"n {len(samples)}, median {median:.1f} {unit}, p99 {p99:.1f} {unit}, worst {worst:.1f} {unit}"


class HostLateness:
    """Notes, in a thread of its own, when this machine woke it late: what then was measured is not the firmware's."""

    PERIOD_S = 0.002

    def __init__(self) -> None:
        self.samples_ms: list[float] = []
        self._late: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def was_late(self, from_s: float, to_s: float, by_ms: float) -> bool:
        """Whether it was late by so much at any moment between two of `time.monotonic` (`by_ms` is 1 or more)."""
        for end_s, late_ms in reversed(self._late):
            if end_s < from_s:
                return False
            if late_ms >= by_ms and end_s - late_ms / 1000 <= to_s:
                return True
        return False

    def _watch(self) -> None:
        while not self._stop.is_set():
            began_s = time.monotonic()
            time.sleep(self.PERIOD_S)
            now_s = time.monotonic()
            late_ms = (now_s - began_s - self.PERIOD_S) * 1000
            self.samples_ms.append(late_ms)
            if late_ms >= 1:
                self._late.append((now_s, late_ms))
