"""The chip: the only file that imports machine, network and esp32. Makes the parts that touch it; decides nothing."""
# MicroPython's time, gc, select and sys have more than the host's:
# mypy: disable-error-code="attr-defined,no-any-return,union-attr"

import gc
import io
import json
import os
import select
import sys
import time

import machine
import micropython

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CAUSES = {1: "power_on", 2: "hard", 3: "watchdog", 4: "deep_sleep", 5: "soft"}
_MODE1, _PRESCALE, _FIRST_CHANNEL = 0x00, 0xFE, 0x06  # registers of the PCA9685
_AUTO_INCREMENT, _SLEEP = 0x20, 0x10
_PRESCALE_50_HZ = 121  # 25 MHz / (4096 · 50 Hz) - 1
_STEPS, _PERIOD_US = 4096, 20_000
_REASONS = {
    200: "no_such_network",
    201: "no_such_network",
    202: "wrong_password",
    203: "failed",
    204: "wrong_password",
}
_CONNECTING = 1001
_MOTOR_HZ = 1_000
_ENODEV = 19


class RelayOutputs:
    """Four relays on GPIOs, and the vibration motor's PWM where it has a pin."""

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


class ServoOutputs:
    """Four servos behind a PCA9685, which keeps its pulses when the ESP32 restarts."""

    def __init__(self, actuator: "dict[str, Any]") -> None:
        self._bus = machine.I2C(
            0, scl=machine.Pin(actuator["scl"]), sda=machine.Pin(actuator["sda"]), freq=400_000
        )
        self._address = actuator["address"]
        self._channels = actuator["channels"]
        self._closed_us = actuator["closed_us"]
        self._open_us = actuator["open_us"]
        self._motor = _Motor(actuator["motor_pin"])
        self._ready = False

    def open(self, jar: int) -> None:
        """Open jar 1 to 4."""
        self._prepare()
        self._pulse(self._channels[jar - 1], self._open_us)

    def close_all(self) -> None:
        """Close every jar and stop the motor."""
        self._motor.run(0)
        self.close_jars()

    def close_jars(self) -> None:
        """Close every jar; tries all of them before it raises OSError."""
        self._prepare()
        failure = None
        for channel in self._channels:
            try:
                self._pulse(channel, self._closed_us)
            except OSError as error:
                failure = error
                self._ready = False
        if failure:
            raise failure

    def vibrate(self, percent: int) -> None:
        """Run the motor at 0 to 100."""
        self._motor.run(percent)

    def _prepare(self) -> None:
        """Set the period, again when the chip has lost it; the prescaler can be written only while it sleeps."""
        if self._ready and self._is_prepared():
            return
        write = self._bus.writeto_mem
        write(self._address, _MODE1, bytes((_AUTO_INCREMENT | _SLEEP,)))
        write(self._address, _PRESCALE, bytes((_PRESCALE_50_HZ,)))
        write(self._address, _MODE1, bytes((_AUTO_INCREMENT,)))
        time.sleep_us(500)  # the oscillator's start, data sheet 7.3.1
        self._ready = True

    def _is_prepared(self) -> bool:
        """Whether it is still awake with its period: after a loss of supply it sleeps, and acknowledges all the same."""
        read = self._bus.readfrom_mem
        mode = read(self._address, _MODE1, 1)[0] & (_AUTO_INCREMENT | _SLEEP)
        return mode == _AUTO_INCREMENT and read(self._address, _PRESCALE, 1)[0] == _PRESCALE_50_HZ

    def _pulse(self, channel: int, width_us: int) -> None:
        steps = width_us * _STEPS // _PERIOD_US
        data = bytes((0, 0, steps & 0xFF, steps >> 8))
        self._bus.writeto_mem(self._address, _FIRST_CHANNEL + 4 * channel, data)


class NoOutputs:
    """In the place of outputs that the settings cannot mean: nothing is open, and nothing can be opened."""

    def open(self, jar: int) -> None:
        """Raises OSError: which pin is a jar's is not known."""
        raise OSError(_ENODEV, f"jar {jar}")

    def close_jars(self) -> None:
        """Nothing is open."""

    def close_all(self) -> None:
        """Nothing is open."""

    def vibrate(self, percent: int) -> None:
        """Raises OSError but for 0."""
        if percent:
            raise OSError(_ENODEV)


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


class Clock:
    """MicroPython's time."""

    def __init__(self) -> None:
        self._ticks = time.ticks_ms()
        self._uptime_ms = 0
        self.ticks_ms = time.ticks_ms
        self.ticks_diff = time.ticks_diff
        self.sleep_ms = time.sleep_ms

    def uptime_ms(self) -> int:
        """Milliseconds since boot; asked for at least every six days, it does not wrap."""
        now = time.ticks_ms()
        self._uptime_ms += time.ticks_diff(now, self._ticks)
        self._ticks = now
        return self._uptime_ms


class Storage:
    """The filesystem's root, a littlefs: a write is whole or not there."""

    def read(self, name: str) -> bytes:
        """The file's contents; OSError if there is none."""
        with open("/" + name, "rb") as file:
            return file.read()

    def write(self, name: str, data: bytes) -> None:
        """Replace the file's contents."""
        with open("/" + name, "wb") as file:
            file.write(data)

    def rename(self, old: str, new: str) -> None:
        """Rename over what is there."""
        os.rename("/" + old, "/" + new)

    def remove(self, name: str) -> None:
        """Remove it; OSError if there is none."""
        os.remove("/" + name)

    def names(self) -> "list[str]":
        """Names of the files in `/`."""
        return os.listdir("/")

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return os.stat("/" + name)[6]


class Retained:
    """RTC memory: survives a reset and the watchdog, not a power cut."""

    def __init__(self) -> None:
        self._rtc = machine.RTC()

    def read(self) -> bytes:
        """What was written last."""
        return self._rtc.memory()

    def write(self, data: bytes) -> None:
        """Replace it."""
        self._rtc.memory(data)


class Serial:
    """The cable: standard input and output, byte by byte and as they are."""

    def __init__(self) -> None:
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._byte = bytearray(1)

    def wait(self, duration_ms: int) -> bool:
        """Wait until a byte has come or `duration_ms` have passed; whether one has come."""
        for _ in self._poll.ipoll(duration_ms):
            return True
        return False

    def read(self) -> int:
        """The next byte, or -1 if none is there."""
        if not self.wait(0):
            return -1
        return self._byte[0] if self._in.readinto(self._byte) else -1

    def write(self, data: bytes) -> None:
        """Send `data` as it is: no end of line is translated."""
        self._out.write(data)


class WatchdogTimer:
    """The chip's task watchdog. Making it anew only changes its time-out."""

    def __init__(self) -> None:
        self._timer: Any = None

    def arm(self, timeout_ms: int) -> None:
        """Start it, or give it another time-out."""
        self._timer = machine.WDT(timeout=timeout_ms)
        self._timer.feed()

    def feed(self) -> None:
        """Begin its time anew."""
        if self._timer is not None:
            self._timer.feed()


class Radio:
    """The Wi-Fi station."""

    def __init__(self) -> None:
        import network

        self._station = network.WLAN(network.STA_IF)
        self._station.active(True)

    def connect(self, ssid: str, password: str) -> None:
        """Begin to join."""
        try:
            self._station.disconnect()
        except OSError:
            pass  # there was nothing to leave
        self._station.connect(ssid, password)

    def disconnect(self) -> None:
        """Leave the network."""
        self._station.disconnect()

    def joined(self) -> bool:
        """Whether there is an address."""
        return self._station.isconnected()

    def reason(self) -> "str | None":
        """Why joining does not get on; associated but without an address means no DHCP."""
        status = self._station.status()
        if status == _CONNECTING and self.rssi() is not None:
            return "no_dhcp"
        return _REASONS.get(status)

    def rssi(self) -> "int | None":
        """Signal in dBm; None when not associated."""
        try:
            return self._station.status("rssi") or None
        except (OSError, ValueError):
            return None

    def address(self) -> str:
        """The IPv4 address."""
        return self._station.ifconfig()[0]

    def scan(self) -> "list[dict[str, Any]]":
        """The twenty strongest networks, strongest first."""
        found = sorted(self._station.scan(), key=lambda entry: -entry[3])[:20]
        return [
            {"ssid": _text(entry[0]), "rssi": entry[3], "channel": entry[2], "secure": entry[4] != 0}
            for entry in found
        ]


class System:
    """The chip itself."""

    def __init__(self) -> None:
        mac = machine.unique_id()
        self.uid = "esp-" + "".join(["%02x" % byte for byte in mac])
        self.mac = ":".join(["%02x" % byte for byte in mac])
        self.reset_cause = _CAUSES.get(machine.reset_cause(), "unknown")

    def reset(self) -> None:
        """Restart; does not return."""
        machine.reset()

    def keyboard_interrupt(self, enabled: bool) -> None:
        """Whether the byte 0x03 raises KeyboardInterrupt or is read as data."""
        micropython.kbd_intr(3 if enabled else -1)

    def free_heap(self) -> int:
        """Bytes that could be allocated, garbage included only after the next collection."""
        return gc.mem_free()

    def collect(self) -> None:
        """Collect garbage now."""
        gc.collect()

    def exception_text(self, error: BaseException) -> str:
        """The traceback as MicroPython prints it."""
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue().rstrip().replace("\n", "\r\n")

    def random(self) -> float:
        """0 ≤ x < 1, from the chip's noise."""
        return int.from_bytes(os.urandom(3), "little") / 16777216


def saved_actuator() -> "dict[str, Any]":
    """The actuator's settings as saved, read with as little as possible: this stands before everything else at boot.

    Raises SettingsError when they cannot be meant.
    """
    from .settings import checked_actuator, default_actuator

    default = default_actuator()
    try:
        with open("/settings.json") as file:
            saved = json.load(file).get("actuator", default)
    except (OSError, ValueError, AttributeError, RuntimeError):
        return default
    return checked_actuator(saved, default)


def close_outputs() -> "RelayOutputs | ServoOutputs | NoOutputs":
    """The outputs, closed; neither a bad setting nor a bus that does not answer is a reason not to start."""
    try:
        actuator = saved_actuator()
        outputs = ServoOutputs(actuator) if actuator["kind"] == "servo" else RelayOutputs(actuator)
    except (ValueError, OSError):  # SettingsError, or what the chip says to a pin
        return NoOutputs()
    try:
        outputs.close_all()
    except OSError:
        pass  # said when the first jar is to be opened: that item fails
    return outputs


def _text(ssid: bytes) -> str:
    try:
        return ssid.decode()
    except UnicodeError:
        return "".join([chr(byte) for byte in ssid])
