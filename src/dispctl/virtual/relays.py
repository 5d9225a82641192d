"""The relay modules between pins and valves: which pin moves which jar, and which level opens it; knows no time."""

from __future__ import annotations

from dataclasses import dataclass

FLASH_PINS = range(6, 12)  # the flash chip hangs on them
MISSING_PINS = (20, 24, 28, 29, 30, 31)
OUTPUT_PINS = frozenset(range(34)) - frozenset(FLASH_PINS) - frozenset(MISSING_PINS)
DEFAULT_PINS = (26, 27, 32, 33)


@dataclass(frozen=True)
class Relays:
    """One module a jar on `pins`, jar 1 first. An `active_low` module opens at 0, and pulls an idle pin up."""

    pins: tuple[int, ...] = DEFAULT_PINS
    active_low: bool = False

    def jar(self, pin: int) -> int | None:
        """The number of the jar that `pin` moves, from 1; None for a pin without a relay."""
        return self.pins.index(pin) + 1 if pin in self.pins else None

    def opens(self, level: int) -> bool:
        """Whether a pin driven to `level` opens its jar; a pin that nobody drives opens none."""
        return bool(level) != self.active_low

    def idle_level(self, pin: int) -> int:
        """What is read from `pin` while nobody drives it."""
        return int(self.active_low and pin in self.pins)
