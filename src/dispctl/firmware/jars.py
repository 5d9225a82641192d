"""The jars, of which none is opened while one may still be open: a closing that failed is made up for from every wait.

Knows when to try again and when a reset is the last resort; how a jar moves is the driver's business.
"""

from .timer import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .parts import Outputs, Parts

RETRY_MS = 250
SLOW_RETRY_MS = 4_000  # a stuck bus holds everything up for half a second each time
RESET_MS = 8_000
_EBUSY = 16


class Jars:
    """`driver` with a memory: `unclosed` from a closing that failed until one that did not.

    `make` makes a driver from the settings' actuator, for a board that had none when it started.
    """

    def __init__(
        self, driver: "Outputs", parts: "Parts", make: "Callable[[dict[str, Any]], Outputs]"
    ) -> None:
        self._driver = driver
        self._parts = parts
        self._make = make
        self._failed_ms: int | None = None
        self._told = False
        self._retry = Timer(parts.clock)

    @property
    def absent(self) -> bool:
        """Whether nothing is driven because no actuator has been saved."""
        return self._driver.absent

    @property
    def may_be_open(self) -> bool:
        """Whether a jar has been told to open and not, with success, to close."""
        return self._driver.may_be_open

    @property
    def unclosed(self) -> bool:
        """Whether a jar may be open that should not be."""
        return self._failed_ms is not None

    @property
    def unclosed_ms(self) -> int:
        """For how long."""
        return 0 if self._failed_ms is None else self._parts.clock.uptime_ms() - self._failed_ms

    def open(self, jar: int) -> None:
        """Open jar 1 to 4. Raises OSError, also while another may be open."""
        if self.unclosed:
            raise OSError(_EBUSY, "unclosed")
        self._driver.open(jar)

    def close_jars(self) -> None:
        """Close every jar. Raises what the driver raises; `drive` then goes on trying."""
        self._close(self._driver.close_jars)

    def close_all(self) -> None:
        """Close every jar and stop the motor; as `close_jars`."""
        self._close(self._driver.close_all)

    def close_soon(self) -> None:
        """Close everything, now or as soon as it can be."""
        try:
            self.close_all()
        except OSError:
            pass  # noted: `drive` goes on

    def vibrate(self, percent: int) -> None:
        """Run the motor at 0 (off) to 100."""
        self._driver.vibrate(percent)

    def renew(self) -> None:
        """Make anew what leads to the actuators."""
        self._driver.renew()

    def equip(self, actuator: "dict[str, Any]") -> None:
        """Take the outputs that have been saved, on a board that drives none so far."""
        if self.absent:
            self._driver = self._make(actuator)
            self.close_soon()

    def drive(self) -> None:
        """From every wait: try again what failed, each time over a new bus; in the end reset the board, once.

        The reset is for a jar that this run has opened. If it does not help, the board goes on trying, and stays within
        reach of the cable.
        """
        if self._failed_ms is None or not self._retry.due:
            return
        self._tell()
        if self._driver.may_be_open and self.unclosed_ms >= RESET_MS:
            self._parts.console.log(
                "EXEC", f"✗ Frascos sem fechar há {RESET_MS // 1000} s: reiniciando a placa"
            )
            self._parts.system.reset()
        self._retry.start(RETRY_MS if self.unclosed_ms < RESET_MS else SLOW_RETRY_MS)
        self._driver.renew()
        self.close_soon()

    def _close(self, close: "Callable[[], None]") -> None:
        try:
            close()
        except Exception:
            if self._failed_ms is None:
                self._failed_ms = self._parts.clock.uptime_ms()
                self._retry.start(0)
            raise
        if self._told:
            self._parts.console.log("EXEC", f"✓ Frascos fechados após {self.unclosed_ms / 1000:.1f}s")
        self._failed_ms = None
        self._told = False

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._parts.console.log(
                "EXEC", "✗ O atuador não responde: frascos podem estar abertos; tentando fechar"
            )
