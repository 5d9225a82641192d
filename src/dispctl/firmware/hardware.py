"""The chip but for what moves the jars (`actuators`): makes the parts that touch it; decides nothing."""
# MicroPython's time, gc, select and sys have more than the host's:
# mypy: disable-error-code="attr-defined,no-any-return,union-attr"

import gc
import io
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
# ESP-IDF's reasons; those that are not here, as 2, 203, 210 and 211, say that it failed and no more.
_REASONS = {
    15: "wrong_password",
    200: "no_such_network",
    201: "no_such_network",
    202: "wrong_password",
    204: "wrong_password",
    212: "no_such_network",
}
_LEFT, _IDLE, _CONNECTING, _JOINED = 8, 1000, 1001, 1010
_YEAR_2000, _EPOCH_2000 = 2000, 946_684_800


class Clock:
    """MicroPython's time."""

    def __init__(self) -> None:
        self._ticks = time.ticks_ms()
        self._uptime_ms = 0
        self.ticks_ms = time.ticks_ms
        self.ticks_diff = time.ticks_diff
        self.sleep_ms = time.sleep_ms

    def uptime_ms(self) -> int:
        """Milliseconds since boot; asked for at least every six days (`idle` does) it does not wrap."""
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


class CalendarClock:
    """The chip's clock; `time` counts from 2000 on the ESP32 and from 1970 elsewhere."""

    def __init__(self) -> None:
        self._epoch = _EPOCH_2000 if time.gmtime(0)[0] == _YEAR_2000 else 0

    def utc(self) -> int:
        """Seconds since 1970."""
        return int(time.time()) + self._epoch

    def set_utc(self, utc: int) -> None:
        """Show another time from now on."""
        year, month, day, hour, minute, second, weekday = time.gmtime(utc - self._epoch)[:7]
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))


class Radio:
    """The Wi-Fi station."""

    def __init__(self) -> None:
        import network

        self._station = network.WLAN(network.STA_IF)
        self._station.active(True)
        try:
            # By itself it would try for ever: then it hides why joining fails, and a scan finds nothing.
            self._station.config(reconnects=0)
        except (OSError, RuntimeError, ValueError):
            pass  # not all versions know it

    def connect(self, ssid: str, password: str) -> None:
        """Try to join, once."""
        try:
            self._station.disconnect()
        except (OSError, RuntimeError):
            pass  # there was nothing to leave
        self._station.connect(ssid, password)

    def disconnect(self) -> None:
        """Leave the network."""
        self._station.disconnect()

    def joined(self) -> bool:
        """Whether there is an address."""
        return self._station.isconnected()

    def reason(self) -> "str | None":
        """Why the last try came to nothing; associated but without an address means no DHCP."""
        status = self._station.status()
        if status == _CONNECTING and self.rssi() is not None:
            return "no_dhcp"
        if status in (_LEFT, _IDLE, _CONNECTING, _JOINED):
            return None
        return _REASONS.get(status, "failed")

    def rssi(self) -> "int | None":
        """Signal in dBm; None when not associated."""
        try:
            return self._station.status("rssi") or None
        except (OSError, RuntimeError, ValueError):
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


def _text(ssid: bytes) -> str:
    try:
        return ssid.decode()
    except UnicodeError:
        return "".join([chr(byte) for byte in ssid])
