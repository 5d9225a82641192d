"""A PCA9685 on the I2C bus: sixteen channels of pulses, as its data sheet describes them (NXP, rev. 4, section 7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS = 0x40
CHANNELS = 16

_MODE1, _LED0_ON_L, _ALL_LED_ON_L, _PRE_SCALE = 0x00, 0x06, 0xFA, 0xFE
_SLEEP, _AUTO_INCREMENT, _RESTART = 0x10, 0x20, 0x80
_FULL = 0x10  # bit 4 of the high bytes: full on, full off
_OSCILLATOR_HZ = 25_000_000
_STEPS = 4096


class ServoDriver:
    """The chip's registers; `on_pulse(channel, width_us)` is called whenever a channel's pulse changes (0: none)."""

    def __init__(self, on_pulse: Callable[[int, int], None]) -> None:
        self._on_pulse = on_pulse
        self._pulses = [0] * CHANNELS
        self.power_on()

    def power_on(self) -> None:
        """Set all registers as they are after the power came: asleep, every channel full off."""
        self._registers = bytearray(256)
        self._registers[_MODE1] = _SLEEP | 0x01
        self._registers[_PRE_SCALE] = 0x1E
        for channel in range(CHANNELS):
            self._registers[_LED0_ON_L + 4 * channel + 3] = _FULL
        self._pointer = 0
        self._update()

    def write(self, data: bytes) -> None:
        """One I2C write: the register's number, then values for it and, with auto-increment, the next ones."""
        if not data:
            return
        self._pointer = data[0]
        for value in data[1:]:
            self._set(self._pointer, value)
            self._advance()
        self._update()

    def read(self, count: int) -> bytes:
        """One I2C read from the register last addressed."""
        values = bytearray()
        for _ in range(count):
            values.append(self._registers[self._pointer])
            self._advance()
        return bytes(values)

    def pulse_us(self, channel: int) -> int:
        """The pulse on `channel` in microseconds of each period; 0 without pulses."""
        return self._pulses[channel]

    def _advance(self) -> None:
        if self._registers[_MODE1] & _AUTO_INCREMENT:
            self._pointer = (self._pointer + 1) % 256

    def _set(self, register: int, value: int) -> None:
        if register == _PRE_SCALE:
            if self._registers[_MODE1] & _SLEEP:  # writes are ignored while the oscillator runs
                self._registers[register] = max(3, value)
        elif register == _MODE1:
            self._registers[register] = value & ~_RESTART
        elif _ALL_LED_ON_L <= register < _PRE_SCALE:
            for channel in range(CHANNELS):
                self._registers[_LED0_ON_L + 4 * channel + register - _ALL_LED_ON_L] = value
        else:
            self._registers[register] = value

    def _update(self) -> None:
        for channel in range(CHANNELS):
            width_us = self._width_us(channel)
            if width_us != self._pulses[channel]:
                self._pulses[channel] = width_us
                self._on_pulse(channel, width_us)

    def _width_us(self, channel: int) -> int:
        first = _LED0_ON_L + 4 * channel
        on_low, on_high, off_low, off_high = self._registers[first : first + 4]
        if self._registers[_MODE1] & _SLEEP or off_high & _FULL:
            return 0
        step_us = (self._registers[_PRE_SCALE] + 1) * 1e6 / _OSCILLATOR_HZ
        if on_high & _FULL:
            return round(_STEPS * step_us)
        on = on_low | (on_high & 0x0F) << 8
        off = off_low | (off_high & 0x0F) << 8
        return round((off - on) % _STEPS * step_us)
