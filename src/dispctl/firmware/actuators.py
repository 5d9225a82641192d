"""What moves the jars: relays on GPIOs, or servos behind a PCA9685. Stands before everything else at boot.

Nothing is driven that the saved settings do not name: a pin that is a relay's on one board opens a jar on another.
"""
# MicroPython's time has more than the host's:
# mypy: disable-error-code="attr-defined"

import errno
import json
import time

import machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MODE1, _PRESCALE, _FIRST_CHANNEL = 0x00, 0xFE, 0x06  # registers of the PCA9685
_AUTO_INCREMENT, _SLEEP = 0x20, 0x10
_PRESCALE_50_HZ = 121  # 25 MHz / (4096 · 50 Hz) - 1
_STEPS, _PERIOD_US = 4096, 20_000
_CHANNELS, _CHANNEL_BYTES = 16, 4
_OFF = 0x10  # in a channel's last byte: no pulses
_RECOVERY_CLOCKS = 9  # I2C specification (NXP UM10204), 3.1.16: a slave lets go within nine
_HALF_CLOCK_US = 5
_MOTOR_HZ = 1_000


class RelayOutputs:
    """Four relays on GPIOs, and the vibration motor's PWM where it has a pin."""

    may_be_open = False  # a GPIO obeys
    absent = False

    def __init__(self, actuator: "dict[str, Any]") -> None:
        self._active = 1 if actuator["active_high"] else 0
        self._pins = [machine.Pin(n, machine.Pin.OUT, value=1 - self._active) for n in actuator["pins"]]
        self._motor = _Motor(actuator["motor_pin"])

    def open(self, jar: int) -> None:
        """Open jar 1 to 4."""
        self._pins[jar - 1].value(self._active)

    def close_jars(self) -> None:
        """Close every jar."""
        for pin in self._pins:
            pin.value(1 - self._active)

    def close_all(self) -> None:
        """Close every jar and stop the motor."""
        self.close_jars()
        self._motor.run(0)

    def vibrate(self, percent: int) -> None:
        """Run the motor at 0 to 100."""
        self._motor.run(percent)

    def renew(self) -> None:
        """There is no bus."""


class ServoOutputs:
    """Four servos behind a PCA9685, which keeps its pulses when the ESP32 restarts."""

    absent = False

    def __init__(self, actuator: "dict[str, Any]") -> None:
        self.may_be_open = False
        self._actuator = actuator
        self._address = actuator["address"]
        self._channels = actuator["channels"]
        self._closed_us = actuator["closed_us"]
        self._open_us = actuator["open_us"]
        self._motor = _Motor(actuator["motor_pin"])
        self._ready = False
        self.renew()

    def open(self, jar: int) -> None:
        """Open jar 1 to 4."""
        self._prepare()
        self.may_be_open = True
        self._pulse(self._channels[jar - 1], self._open_us)

    def close_all(self) -> None:
        """Close every jar, then stop the motor, whether they obeyed or not."""
        try:
            self.close_jars()
        finally:
            self._motor.run(0)

    def close_jars(self) -> None:
        """Close every jar; tries all of them before it raises OSError, but once only on a bus that is stuck."""
        failure = None
        try:
            self._prepare()
        except OSError as error:
            failure = error
        for channel in self._channels:
            if failure and failure.errno == errno.ETIMEDOUT:
                break  # it takes up to 600 ms each time, and the watchdog waits for three seconds
            try:
                self._pulse(channel, self._closed_us)
            except OSError as error:
                failure = error
        if failure:
            self._ready = False
            raise failure
        self.may_be_open = False

    def vibrate(self, percent: int) -> None:
        """Run the motor at 0 to 100."""
        self._motor.run(percent)

    def renew(self) -> None:
        """Free the bus from a slave that was interrupted within a byte and holds it, and make it anew."""
        scl, sda = self._actuator["scl"], self._actuator["sda"]
        _free_bus(scl, sda)
        self._bus = machine.I2C(0, scl=machine.Pin(scl), sda=machine.Pin(sda), freq=400_000)
        self._ready = False

    def _prepare(self) -> None:
        """Set the period, again when the chip has lost it; the prescaler can be written only while it sleeps.

        Asleep it forgets no pulse: all are closed before it goes on with them.
        """
        if self._ready and self._is_prepared():
            return
        write = self._bus.writeto_mem
        write(self._address, _MODE1, bytes((_AUTO_INCREMENT | _SLEEP,)))
        write(self._address, _PRESCALE, bytes((_PRESCALE_50_HZ,)))
        for channel in self._channels:
            self._pulse(channel, self._closed_us)
        write(self._address, _MODE1, bytes((_AUTO_INCREMENT,)))
        time.sleep_us(500)  # the oscillator's start, data sheet 7.3.1
        self._ready = True

    def _is_prepared(self) -> bool:
        """Whether it is still awake with its period: after a loss of supply it sleeps, and acknowledges all the same."""
        return _runs_at_50_hz(self._bus, self._address)

    def _pulse(self, channel: int, width_us: int) -> None:
        steps = width_us * _STEPS // _PERIOD_US
        data = bytes((0, 0, steps & 0xFF, steps >> 8))
        self._bus.writeto_mem(self._address, _FIRST_CHANNEL + _CHANNEL_BYTES * channel, data)


class NoOutputs:
    """In the place of outputs that are not known: nothing is driven, and nothing can be opened.

    `absent` on a board whose settings name no actuator yet; else they cannot be read or meant.
    """

    may_be_open = False

    def __init__(self, *, absent: bool) -> None:
        self.absent = absent

    def open(self, jar: int) -> None:
        """Raises OSError: which pin is a jar's is not known."""
        raise OSError(errno.ENODEV, f"jar {jar}")

    def close_jars(self) -> None:
        """Nothing is open."""

    def close_all(self) -> None:
        """Nothing is open."""

    def vibrate(self, percent: int) -> None:
        """Raises OSError but for 0."""
        if percent:
            raise OSError(errno.ENODEV)

    def renew(self) -> None:
        """There is no bus."""


class _Motor:
    """The vibration motor; without a pin it does nothing."""

    def __init__(self, pin: "int | None") -> None:
        self._pin = None if pin is None else machine.Pin(pin, machine.Pin.OUT, value=0)
        self._pwm: Any = None

    def run(self, percent: int) -> None:
        if self._pin is None or (percent == 0 and self._pwm is None):
            return
        if self._pwm is None:
            self._pwm = machine.PWM(self._pin, freq=_MOTOR_HZ, duty_u16=0)
        self._pwm.duty_u16(percent * 65535 // 100)


def close_outputs() -> "RelayOutputs | ServoOutputs | NoOutputs":
    """The saved outputs, closed; nothing that is wrong with them is a reason not to start.

    A bus that does not answer is not told here: whoever closes next finds it.
    """
    try:
        actuator = saved_actuator()
    except (OSError, ValueError, RuntimeError):
        close_forgotten_servos()
        return NoOutputs(absent=False)
    return make_outputs(actuator) if actuator else NoOutputs(absent=True)


def make_outputs(actuator: "dict[str, Any]") -> "RelayOutputs | ServoOutputs | NoOutputs":
    """Outputs as these settings say, closed; NoOutputs where the chip refuses a pin."""
    try:
        outputs = ServoOutputs(actuator) if actuator["kind"] == "servo" else RelayOutputs(actuator)
    except (ValueError, OSError):
        return NoOutputs(absent=False)
    try:
        outputs.close_all()
    except OSError:
        pass
    return outputs


def saved_actuator() -> "dict[str, Any] | None":
    """The actuator's settings as saved, read with as little as possible; None on a board that has none yet.

    Raises OSError, ValueError (SettingsError is one) or RuntimeError when they cannot be read or meant.
    """
    from .settings import checked_actuator, default_actuator

    try:
        with open("/settings.json") as file:
            saved = json.load(file)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return None
    if not isinstance(saved, dict):
        raise ValueError
    return checked_actuator(saved["actuator"], default_actuator()) if "actuator" in saved else None


def close_forgotten_servos() -> None:
    """Close the servos of a board whose settings cannot be read, if their driver stands where it does by default.

    Safe without settings: nothing is written but to a chip that runs with this firmware's period, and what most of its
    channels do is closed, since no two jars are ever open. The pins are inputs again afterwards.
    """
    from .settings import default_actuator

    wiring = default_actuator()
    scl, sda, address = machine.Pin(wiring["scl"]), machine.Pin(wiring["sda"]), wiring["address"]
    try:
        bus = machine.I2C(0, scl=scl, sda=sda, freq=400_000)
        if _runs_at_50_hz(bus, address):
            _give_all_the_commonest_pulse(bus, address)
    except (OSError, ValueError):
        pass  # there is none
    finally:
        for pin in (scl, sda):
            pin.init(machine.Pin.IN)


def _give_all_the_commonest_pulse(bus: "Any", address: int) -> None:
    pulses = {}
    for channel in range(_CHANNELS):
        register = _FIRST_CHANNEL + _CHANNEL_BYTES * channel
        pulse = bus.readfrom_mem(address, register, _CHANNEL_BYTES)
        if not pulse[-1] & _OFF:
            pulses[register] = pulse
    every = list(pulses.values())
    commonest = max(every, key=every.count) if every else None
    for register, pulse in pulses.items():
        if pulse != commonest:
            bus.writeto_mem(address, register, commonest)


def _runs_at_50_hz(bus: "Any", address: int) -> bool:
    """Whether the PCA9685 is awake and has this firmware's period."""
    mode = bus.readfrom_mem(address, _MODE1, 1)[0] & (_AUTO_INCREMENT | _SLEEP)
    return bool(mode == _AUTO_INCREMENT and bus.readfrom_mem(address, _PRESCALE, 1)[0] == _PRESCALE_50_HZ)


def _free_bus(scl: int, sda: int) -> None:
    """Nine clocks, then a stop."""
    data = machine.Pin(sda, machine.Pin.OPEN_DRAIN, value=1)
    clock = machine.Pin(scl, machine.Pin.OPEN_DRAIN, value=1)
    for _ in range(_RECOVERY_CLOCKS):
        clock.value(0)
        time.sleep_us(_HALF_CLOCK_US)
        clock.value(1)
        time.sleep_us(_HALF_CLOCK_US)
    data.value(0)
    time.sleep_us(_HALF_CLOCK_US)
    data.value(1)
