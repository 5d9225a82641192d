"""An event loop whose clock jumps to the next timer instead of waiting: exact times, no waiting."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting for `timeout` seconds it adds them to `now_s`."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout:
            self.now_s += timeout
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in a loop of its own with a jumping clock that begins at 0."""
    loop = _JumpingLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()
