"""What stands around the processor: flash, pins, I2C, real-time clock, watchdog and radio, as the bus asks for them.

Each request's payload is described in its handler's first line; integers are little-endian. What survives what: the
real-time memory a reset but not a power cut, the servo driver's registers likewise, pins nothing.
"""

from __future__ import annotations

import errno
import json
import struct
from typing import TYPE_CHECKING, Any, Protocol

from dispctl.virtual import servo_driver
from dispctl.virtual.bus import Operation, Request
from dispctl.virtual.flash import FlashRangeError, PowerCutError
from dispctl.virtual.jars import FIRMWARE, JARS, Jars

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispctl.virtual.clock import BoardClock
    from dispctl.virtual.flash import NorFlash
    from dispctl.virtual.radio import Radio
    from dispctl.virtual.relays import Relays

SERVO_OPEN_US = 1500
RTC_MEMORY_BYTES = 2048
_HALF_DUTY = 32768


class Core(Protocol):
    """What the hardware asks of the processor and the board around it."""

    def boot_settings(self) -> dict[str, Any]:
        """What the interpreter is told as it starts."""

    def set_interrupt_byte(self, byte: int) -> None:
        """Choose the byte that interrupts the program."""

    def interrupt_taken(self) -> None:
        """The program has noticed the interrupt."""

    def power_cut(self) -> None:
        """The flash lost its power in the middle of an operation, and so does everything."""

    def reset_by_program(self) -> None:
        """``machine.reset()``."""

    def soft_reset(self, *, raw_repl: bool) -> None:
        """End this interpreter and start another, in the raw REPL if so."""

    def start_watchdog(self, timeout_ms: int) -> None:
        """Reset the board unless this is called again within `timeout_ms` of board time."""

    def take_flash_busy_s(self) -> float:
        """How long the flash needs, in host seconds, for what it was told since this was asked last."""


class Hardware:
    """Answers the bus; see the module's description."""

    def __init__(self, core: Core, flash: NorFlash, clock: BoardClock, radio: Radio, relays: Relays) -> None:
        self._core = core
        self._relays = relays
        self._flash = flash
        self._clock = clock
        self._radio = radio
        self.jars = Jars(clock.now_ms)
        self.servos = servo_driver.ServoDriver(self._move_servo)
        self._rtc_memory = b""
        self._rtc_offset_us = 0
        self._watchdog_ms = 0
        self._levels: dict[int, int] = {}
        self._closing_cause = FIRMWARE
        self._handlers: dict[int, Callable[[bytes], bytes | None]] = {
            Operation.HELLO: self._hello,
            Operation.PROGRAM: self._program,
            Operation.ERASE: self._erase,
            Operation.KBD_INTR: self._kbd_intr,
            Operation.INTERRUPT_TAKEN: self._interrupt_taken,
            Operation.RESET: self._reset,
            Operation.SOFT_RESET: self._soft_reset,
            Operation.RTC_MEMORY_READ: self._read_rtc_memory,
            Operation.RTC_MEMORY_WRITE: self._write_rtc_memory,
            Operation.RTC_TIME: self._set_rtc,
            Operation.WDT: self._feed,
            Operation.PIN_OUT: self._drive_pin,
            Operation.PIN_RELEASE: self._release_pin,
            Operation.PIN_READ: self._read_pin,
            Operation.PWM: self._pulse_pin,
            Operation.I2C_WRITE: self._write_i2c,
            Operation.I2C_READ: self._read_i2c,
            Operation.WIFI: self._wifi,
            Operation.SYNC: lambda _payload: b"SYNC",
        }

    def handle(self, request: Request) -> bytes | None:
        """Do what was asked; returns the answer, or None if the processor no longer runs. Raises OSError to refuse."""
        handler = self._handlers.get(request.operation)
        if handler is None:
            raise OSError(errno.ENOSYS, f"operation {request.operation} is not one of the bus")
        return handler(request.payload)

    def take_busy_s(self) -> float:
        """How long the processor stands still after what was asked last: the flash may be busy."""
        return self._core.take_flash_busy_s()

    def chip_stopped(self, cause: str) -> None:
        """The chip was reset or lost its power: its pins float, its watchdog stops, the station is gone.

        A soft reset is none of this: pins keep their levels, the watchdog runs on, the station stays joined.
        """
        for pin in list(self._levels):
            self._let_go(pin, cause)
        self._watchdog_ms = 0
        self._radio.power_off()

    def forget_rtc(self) -> None:
        """The real-time domain lost its power, as it does when EN is low: its memory and its clock begin anew."""
        self._rtc_memory = b""
        self._rtc_offset_us = -self._clock.now_us()

    def power_lost(self) -> None:
        """What a reset leaves is gone too: the real-time domain, and the pulses of the servo driver."""
        self.forget_rtc()
        self._closing_cause = "power"
        self.servos.power_on()
        self._closing_cause = FIRMWARE

    @property
    def rtc_us(self) -> int:
        """What the real-time clock shows, in microseconds since 2000."""
        return self._clock.now_us() + self._rtc_offset_us

    def _hello(self, _payload: bytes) -> bytes:
        return json.dumps({**self._core.boot_settings(), "rtc_us": self.rtc_us}).encode()

    def _program(self, payload: bytes) -> bytes | None:
        """``<I`` offset, then the data."""
        (offset,) = struct.unpack_from("<I", payload)
        return self._use_flash(lambda: self._flash.program(offset, payload[4:]))

    def _erase(self, payload: bytes) -> bytes | None:
        """``<I`` offset of the sector."""
        (offset,) = struct.unpack("<I", payload)
        return self._use_flash(lambda: self._flash.erase_sector(offset))

    def _use_flash(self, operation: Callable[[], None]) -> bytes | None:
        try:
            operation()
        except FlashRangeError as error:
            raise OSError(errno.EINVAL, str(error)) from error
        except PowerCutError:
            self._core.power_cut()
            return None
        return b""

    def _kbd_intr(self, payload: bytes) -> bytes:
        """The byte that interrupts; 0xFF for none."""
        self._core.set_interrupt_byte(payload[0])
        return b""

    def _interrupt_taken(self, _payload: bytes) -> bytes:
        self._core.interrupt_taken()
        return b""

    def _reset(self, _payload: bytes) -> None:
        self._core.reset_by_program()

    def _soft_reset(self, payload: bytes) -> None:
        """1 if the raw REPL asked for it, else 0."""
        self._core.soft_reset(raw_repl=bool(payload[0]))

    def _read_rtc_memory(self, _payload: bytes) -> bytes:
        return self._rtc_memory

    def _write_rtc_memory(self, payload: bytes) -> bytes:
        """Up to 2048 bytes, replacing what was there."""
        if len(payload) > RTC_MEMORY_BYTES:
            raise OSError(errno.EINVAL, "the real-time memory has 2048 bytes")
        self._rtc_memory = payload
        return b""

    def _set_rtc(self, payload: bytes) -> bytes:
        """``<q`` microseconds since 2000."""
        (rtc_us,) = struct.unpack("<q", payload)
        self._rtc_offset_us = rtc_us - self._clock.now_us()
        return b""

    def _feed(self, payload: bytes) -> bytes:
        """``<I`` time-out in milliseconds of board time, 0 to feed."""
        (timeout_ms,) = struct.unpack("<I", payload)
        self._watchdog_ms = timeout_ms or self._watchdog_ms
        if self._watchdog_ms:
            self._core.start_watchdog(self._watchdog_ms)
        return b""

    def _drive_pin(self, payload: bytes) -> bytes:
        """Pin, level."""
        self._drive(payload[0], payload[1])
        return b""

    def _release_pin(self, payload: bytes) -> bytes:
        """Pin, 1 if it is pulled up."""
        pin, pulled_up = payload
        self._let_go(pin)
        if pulled_up:
            self._levels[pin] = 1
        return b""

    def _read_pin(self, payload: bytes) -> bytes:
        """Pin; answers its level."""
        pin = payload[0]
        return bytes([self._levels.get(pin, self._relays.idle_level(pin))])

    def _pulse_pin(self, payload: bytes) -> bytes:
        """``<BIH`` pin, frequency in Hz, duty in 65535ths: for a valve, on or off by the half."""
        pin, _frequency, duty = struct.unpack("<BIH", payload)
        self._drive(pin, int(duty >= _HALF_DUTY))
        return b""

    def _drive(self, pin: int, level: int) -> None:
        self._levels[pin] = level
        self._move_relay(pin, is_open=self._relays.opens(level), cause=FIRMWARE)

    def _let_go(self, pin: int, cause: str = FIRMWARE) -> None:
        self._levels.pop(pin, None)
        self._move_relay(pin, is_open=False, cause=cause)

    def _move_relay(self, pin: int, *, is_open: bool, cause: str) -> None:
        jar = self._relays.jar(pin)
        if jar is not None:
            self.jars.drive(jar, "relay", is_open=is_open, cause=cause)

    def _write_i2c(self, payload: bytes) -> bytes:
        """Address, then the data."""
        self._device(payload[0]).write(payload[1:])
        return b""

    def _read_i2c(self, payload: bytes) -> bytes:
        """``<BH`` address, count."""
        address, count = struct.unpack("<BH", payload)
        return self._device(address).read(count)

    def _device(self, address: int) -> servo_driver.ServoDriver:
        if address != servo_driver.ADDRESS:
            raise OSError(errno.ENODEV, f"nothing answers at I2C address {address:#x}")
        return self.servos

    def _move_servo(self, channel: int, width_us: int) -> None:
        if channel < JARS:
            is_open = width_us >= SERVO_OPEN_US
            self.jars.drive(channel + 1, "servo", is_open=is_open, cause=self._closing_cause)

    def _wifi(self, payload: bytes) -> bytes:
        """A JSON object: ``what`` and its fields; answers a JSON object."""
        fields = json.loads(payload)
        return json.dumps(self._radio.answer(fields.pop("what"), fields)).encode()
