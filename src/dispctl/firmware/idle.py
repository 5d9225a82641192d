"""Every wait of the firmware goes through here: the cable is answered, the watchdog fed and the Wi-Fi kept meanwhile."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .console import Console
    from .parts import Clock
    from .watchdog import Watchdog

_SLICE_MS = 50
_TASKS_EVERY_MS = 250


class Idle:
    """Waiting. Each of `tasks` is called a few times a second; none may wait."""

    def __init__(self, clock: "Clock", console: "Console", watchdog: "Watchdog") -> None:
        self._clock = clock
        self._console = console
        self._watchdog = watchdog
        self._tasks_ran = clock.ticks_ms()
        self.tasks: list[Callable[[], None]] = []

    def wait_ms(self, duration_ms: int) -> None:
        """Wait so long, serving the cable; with 0, serve once what has come in."""
        clock = self._clock
        began = clock.ticks_ms()
        left_ms = duration_ms
        while True:
            self._watchdog.feed()
            self._run_tasks()
            self._serve_cable(min(max(left_ms, 0), _SLICE_MS))
            left_ms = duration_ms - clock.ticks_diff(clock.ticks_ms(), began)
            if left_ms <= 0:
                return

    def _run_tasks(self) -> None:
        now = self._clock.ticks_ms()
        if self._clock.ticks_diff(now, self._tasks_ran) >= _TASKS_EVERY_MS:
            self._tasks_ran = now
            self._clock.uptime_ms()  # it is right as long as it is asked for every few days
            for task in self.tasks:
                try:
                    task()
                except Exception as error:
                    self._report(error)

    def _serve_cable(self, duration_ms: int) -> None:
        try:
            self._console.wait(duration_ms)
        except Exception as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        """What fails while something waits is said; what waits (a pour, an exchange) goes on."""
        self._console.log("ERRO", f"Falha durante a espera: {type(error).__name__}: {error}")
