"""MicroPython's `machine` of an ESP32: every pin, bus and counter is a message to the board around this process."""

# ruff: noqa: D103 - the functions are MicroPython's own, described in its documentation

import struct

from runtime import bus
from runtime import time as _time
from runtime.timers import Timer  # noqa: F401 - one of this module's classes

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
PIN_WAKE = 2
EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4
SLEEP = 2
DEEPSLEEP = 4

_MISSING_PINS = (20, 24, 28, 29, 30, 31)
_PINS = 40
_INPUT_ONLY_FROM = 34
_RTC_MEMORY_BYTES = 2048
_EINVAL = 22
_ENODEV = 19

_identity = {"mac": b"\0\0\0\0\0\0", "reset_cause": PWRON_RESET, "frequency": 160000000}


def set_up(mac, cause):
    """Take over what the board says of itself: its MAC (6 bytes) and why this interpreter was started."""
    _identity["mac"] = mac
    _identity["reset_cause"] = cause


class Pin:
    """A GPIO; `value` and the shorthand call read or drive it."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_UP = 2
    PULL_DOWN = 1
    IRQ_RISING = 1
    IRQ_FALLING = 2
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    def __init__(self, number, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        number = number.number if isinstance(number, Pin) else number
        if not isinstance(number, int) or not 0 <= number < _PINS or number in _MISSING_PINS:
            raise ValueError("invalid pin")
        self.number = number
        self._output = False
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if mode in (Pin.OUT, Pin.OPEN_DRAIN):
            if self.number >= _INPUT_ONLY_FROM:
                raise ValueError("pin can only be input")
            self._output = True
            self.value(0 if value is None else value)
        elif mode == Pin.IN:
            self._output = False
            bus.send(bus.PIN_RELEASE, bytes((self.number, 1 if pull == Pin.PULL_UP else 0)))
        elif value is not None:
            self.value(value)

    def value(self, level=None):
        _time.look_outside()
        if level is None:
            return bus.request(bus.PIN_READ, bytes((self.number,)))[0]
        bus.send(bus.PIN_OUT, bytes((self.number, 1 if level else 0)))
        return None

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, handler=None, trigger=3, **options):
        raise NotImplementedError("the virtual board has no pin interrupts")

    def __repr__(self):
        return "Pin(%d)" % self.number


class Signal:
    """A pin whose active level may be low."""

    def __init__(self, pin, *, invert=False):
        self._pin = pin
        self._invert = invert

    def value(self, level=None):
        if level is None:
            return self._pin.value() ^ self._invert
        return self._pin.value(bool(level) ^ self._invert)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


class PWM:
    """Pulses on a pin; the duty is kept in 65535ths."""

    def __init__(self, pin, *, freq=5000, duty=None, duty_u16=None, duty_ns=None):
        self._pin = pin if isinstance(pin, Pin) else Pin(pin)
        self._frequency = freq
        self._duty_u16 = 32768
        self.init(duty=duty, duty_u16=duty_u16, duty_ns=duty_ns)

    def init(self, *, freq=None, duty=None, duty_u16=None, duty_ns=None):
        if freq is not None:
            self._frequency = freq
        if duty is not None:
            duty_u16 = duty * 65535 // 1023
        if duty_ns is not None:
            duty_u16 = duty_ns * self._frequency * 65535 // 1000000000
        if duty_u16 is not None:
            self._duty_u16 = max(0, min(65535, duty_u16))
        bus.send(bus.PWM, struct.pack("<BIH", self._pin.number, self._frequency, self._duty_u16))

    def freq(self, frequency=None):
        if frequency is None:
            return self._frequency
        return self.init(freq=frequency)

    def duty(self, duty=None):
        if duty is None:
            return self._duty_u16 * 1023 // 65535
        return self.init(duty=duty)

    def duty_u16(self, duty=None):
        if duty is None:
            return self._duty_u16
        return self.init(duty_u16=duty)

    def duty_ns(self, duty=None):
        if duty is None:
            return self._duty_u16 * 1000000000 // (65535 * self._frequency)
        return self.init(duty_ns=duty)

    def deinit(self):
        bus.send(bus.PIN_RELEASE, bytes((self._pin.number, 0)))


class I2C:
    """The I2C master; pins and frequency are accepted, the devices are those wired to the board."""

    def __init__(self, number=0, *, scl=None, sda=None, freq=400000, timeout=50000):
        if number not in (-1, 0, 1):
            raise ValueError("I2C(%d) does not exist" % number)

    def scan(self):
        return [address for address in range(8, 120) if self._answers(address)]

    def _answers(self, address):
        try:
            bus.request(bus.I2C_WRITE, bytes((address,)))
        except OSError:
            return False
        return True

    def writeto(self, address, data, stop=True):
        _time.look_outside()
        bus.request(bus.I2C_WRITE, bytes((address,)) + bytes(data))
        return len(data)

    def writevto(self, address, parts, stop=True):
        return self.writeto(address, b"".join(bytes(part) for part in parts), stop)

    def readfrom(self, address, count, stop=True):
        _time.look_outside()
        return bus.request(bus.I2C_READ, struct.pack("<BH", address, count))

    def readfrom_into(self, address, buffer, stop=True):
        buffer[:] = self.readfrom(address, len(buffer))

    def writeto_mem(self, address, register, data, *, addrsize=8):
        self.writeto(address, _register(register, addrsize) + bytes(data))

    def readfrom_mem(self, address, register, count, *, addrsize=8):
        self.writeto(address, _register(register, addrsize))
        return self.readfrom(address, count)

    def readfrom_mem_into(self, address, register, buffer, *, addrsize=8):
        buffer[:] = self.readfrom_mem(address, register, len(buffer), addrsize=addrsize)


class SoftI2C(I2C):
    """The same devices, without a controller's number."""

    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        super().__init__(0)


def _register(register, bits):
    return register.to_bytes(bits // 8, "big")


class RTC:
    """The real-time clock and its 2048 bytes that survive a reset."""

    def __init__(self, number=0):
        pass

    def memory(self, data=None):
        _time.look_outside()
        if data is None:
            return bus.request(bus.RTC_MEMORY_READ)
        if len(data) > _RTC_MEMORY_BYTES:
            raise ValueError("buffer too long")
        bus.request(bus.RTC_MEMORY_WRITE, bytes(data))
        return None

    def datetime(self, fields=None):
        if fields is None:
            year, month, day, hour, minute, second, weekday, _ = _time.gmtime()
            return (year, month, day, weekday, hour, minute, second, _time.time_ns() // 1000 % 1000000)
        year, month, day, _, hour, minute, second, us = fields
        rtc_us = _time.mktime((year, month, day, hour, minute, second, 0, 0)) * 1000000 + us
        bus.send(bus.RTC_TIME, struct.pack("<q", rtc_us))
        _time.set_rtc(rtc_us)
        return None

    init = datetime


class WDT:
    """The watchdog: a board whose program does not feed it in time is reset from outside."""

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError("WDT(%d) does not exist" % id)
        if timeout < 1:
            raise ValueError("WDT timeout too short")
        bus.send(bus.WDT, struct.pack("<I", timeout))

    def feed(self):
        bus.send(bus.WDT, struct.pack("<I", 0))


def reset():
    bus.request(bus.RESET)
    bus.die()


def soft_reset():
    raise SystemExit


def reset_cause():
    return _identity["reset_cause"]


def unique_id():
    return _identity["mac"]


def freq(hertz=None):
    if hertz is None:
        return _identity["frequency"]
    if hertz not in (20000000, 40000000, 80000000, 160000000, 240000000):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _identity["frequency"] = hertz
    return None


def idle():
    _time.let_others_run()


def lightsleep(milliseconds=None):
    _time.wait_until(None if milliseconds is None else _time.now_us() + milliseconds * 1000)


sleep = lightsleep


def disable_irq():
    return 0


def enable_irq(state=0):
    pass


def time_pulse_us(pin, level, timeout_us=1000000):
    return -2  # nothing on the virtual board makes pulses
