"""The watchdog, fed only by work that gets on: each piece of work says how long it may take. Knows no hardware."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from .parts import Clock

    class WatchdogTimer(Protocol):
        """The chip's watchdog; once armed it cannot be stopped."""

        def arm(self, timeout_ms: int) -> None:
            """Start it, or give it another time-out."""

        def feed(self) -> None:
            """Begin its time anew."""


NORMAL_MS = 30_000  # a name lookup and a TLS handshake block for seconds
POURING_MS = 3_000  # a flash erase stands still for up to 400 ms, a directory may need several
# The chip cannot stop its watchdog. 2**29 ms, six days, is the longest whose doubled stage still fits into the
# counter of half milliseconds that ESP-IDF makes of it.
REPL_MS = 1 << 29


class Watchdog:
    """`allow` before a piece of work; `feed` does nothing once that time has passed, and the board restarts."""

    def __init__(self, timer: "WatchdogTimer", clock: "Clock") -> None:
        self._timer = timer
        self._clock = clock
        self._began = clock.ticks_ms()
        self._limit_ms = NORMAL_MS

    def arm(self, timeout_ms: int) -> None:
        """Set how long the board may stand still."""
        self._timer.arm(timeout_ms)

    def allow(self, limit_ms: int) -> None:
        """What begins now may take so long in all."""
        self._began = self._clock.ticks_ms()
        self._limit_ms = limit_ms
        self._timer.feed()

    def feed(self) -> None:
        """Say that the work gets on; called from every wait."""
        if self._clock.ticks_diff(self._clock.ticks_ms(), self._began) <= self._limit_ms:
            self._timer.feed()
