"""Noise on the serial line between bridge and chip: bytes flipped, made up and lost; knows nothing of what they mean."""

from __future__ import annotations

import math
import random

_FLIP, _INSERT, _DROP = range(3)


class Noise:
    """Disturbs one byte in ``1 / rate`` on average; the same `seed` and the same bytes give the same noise."""

    def __init__(self) -> None:
        self.rate = 0.0
        self._random = random.Random()  # noqa: S311 - disturbs bytes; nothing secret
        self._gap = 0

    def set(self, rate: float, seed: int = 0) -> None:
        """Disturb each byte with the probability `rate`, 0 (silence) to 1."""
        self.rate = rate
        self._random.seed(seed)
        self._gap = self._next_gap()

    def disturb(self, data: bytes) -> bytes:
        """`data` as it arrives."""
        if not self.rate:
            return data
        arrived = bytearray()
        position = 0
        while position + self._gap < len(data):
            arrived += data[position : position + self._gap]
            position += self._gap
            arrived += self._disturbed(data[position])
            position += 1
            self._gap = self._next_gap()
        self._gap -= len(data) - position
        return bytes(arrived + data[position:])

    def _disturbed(self, byte: int) -> bytes:
        kind = self._random.choice((_FLIP, _INSERT, _DROP))
        if kind == _FLIP:
            return bytes([byte ^ 1 << self._random.randrange(8)])
        return bytes([self._random.randrange(256), byte]) if kind == _INSERT else b""

    def _next_gap(self) -> int:
        """How many bytes pass before the next is disturbed: geometrically distributed."""
        if self.rate in (0.0, 1.0):
            return 0
        return int(math.log(1 - self._random.random()) / math.log(1 - self.rate))
