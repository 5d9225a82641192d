"""The firmware's calls over a real checked TLS, with a clock in a file: `tls_clock.py ROOT URL CA-FILE CLOCK-FILE KEPT`.

KEPT is the time on flash, "" for none. Prints for each of three heartbeats its status and error, then whether the time is known, as JSON lines.
"""

import json
import sys
import time

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[1] + "/src/dispctl")

from firmware.backend import Backend
from firmware.backend_time import BackendTime
from firmware.certificate_clock import CertificateClock
from firmware.console import Console
from firmware.http_client import HttpClient
from firmware.sockets import Transport

from tests.on_micropython.board.fakes import FakeClock, FakeSerial, FakeStorage, FakeSystem, Mains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Ticks:
    """MicroPython's."""

    ticks_ms = staticmethod(time.ticks_ms)  # type: ignore[attr-defined]
    ticks_diff = staticmethod(time.ticks_diff)  # type: ignore[attr-defined]
    uptime_ms = ticks_ms


class FileClock:
    """The chip's clock, in the file that the C library reads it from as well."""

    def __init__(self, name: str) -> None:
        self._name = name

    def utc(self) -> int:
        """Seconds since 1970."""
        with open(self._name) as file:
            return int(file.read())

    def set_utc(self, utc: int) -> None:
        """Show another time."""
        with open(self._name, "w") as file:
            file.write(str(utc))


def pause(duration_ms: int) -> None:
    """Wait."""
    time.sleep_ms(duration_ms)  # type: ignore[attr-defined]


with open(sys.argv[3]) as ca_file:
    ca = ca_file.read()
clock = FakeClock()
console = Console(FakeSerial(clock))
settings: "dict[str, Any]" = {
    "backend_url": sys.argv[2],
    "device_token": "token",
    "tls_insecure": False,
    "debug_http": False,
}
storage = FakeStorage(clock, Mains())
if sys.argv[5]:
    storage.files["clock"] = sys.argv[5].encode()
certificate_clock = CertificateClock(FileClock(sys.argv[4]), storage, Ticks())
unchecked = HttpClient(Transport(pause, lambda: (None, True)), Ticks())
backend = Backend(
    HttpClient(Transport(pause, lambda: (ca, False)), Ticks()),
    BackendTime(certificate_clock, unchecked, console),
    settings,
    FakeSystem(Mains()),
    console,
    version="1",
)
for _ in range(3):
    answer = backend.heartbeat({})
    print(json.dumps({"status": answer.status, "error": answer.error, "known": certificate_clock.known}))
