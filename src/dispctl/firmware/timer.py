"""A moment in the future, by the time since boot. Pure but for the injected clock and chance."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Clock, System

JITTER = 0.2


class Timer:
    """Due at once until started, and from its time on for ever: unlike `ticks_ms` its time does not wrap around."""

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._due_ms = clock.uptime_ms()

    def start(self, after_ms: int) -> None:
        """Become due `after_ms` from now."""
        self._due_ms = self._clock.uptime_ms() + after_ms

    @property
    def left_ms(self) -> int:
        """Milliseconds until it is due; 0 if it is."""
        return max(self._due_ms - self._clock.uptime_ms(), 0)

    @property
    def due(self) -> bool:
        """Whether its time has come."""
        return self.left_ms == 0


def jittered(duration_ms: int, system: "System") -> int:
    """Give or take a fifth: boards that lost the same backend do not all come back at once."""
    return int(duration_ms * (1 - JITTER + 2 * JITTER * system.random()))
