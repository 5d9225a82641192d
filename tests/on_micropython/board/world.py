"""A board, its mains, its network and its backend, all in virtual time. Runs on CPython and MicroPython."""

import json
import sys

from .backend import CODE, FakeBackend, FakeTransport
from .fakes import (
    FakeCalendarClock,
    FakeClock,
    FakeOutputs,
    FakeRadio,
    FakeRetained,
    FakeSerial,
    FakeStorage,
    FakeSystem,
    FakeWatchdogTimer,
    Mains,
    PowerCut,
    Restart,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PACKAGE = "firmware" if sys.implementation.name == "micropython" else "dispctl.firmware"

SSID, PASSWORD = "Cozinha", "tempero123"
BOOT_MS = 300
_SPICES = ("Sal", "Pimenta", "Cominho", "Orégano")


def firmware(name: str) -> "Any":
    """A module of the firmware, under whichever name it has here."""
    return __import__(f"{PACKAGE}.{name}", None, None, ("*",))


def make_job(
    job_id: int = 7, seconds: "tuple[float, ...]" = (1.0, 1.0, 1.0, 1.0), **fields: "Any"
) -> "dict[str, Any]":
    """A job as `next_job` hands it out: one item a jar, 2 g/s."""
    items = []
    for number, each in enumerate(seconds):
        items.append(
            {
                "id": 20 + number,
                "ordem": number + 1,
                "frasco": number % 4 + 1,
                "tempero": _SPICES[number % 4],
                "quantidade_g": each * 2,
                "segundos": each,
                "status": "queued",
            }
        )
    job = {"id": job_id, "status": "queued", "created_at": "2026-01-02T03:04:05.678", "itens": items}
    job.update(fields)
    return job


class World:
    """Boots the firmware and runs it until something is so; counts cuts and resets."""

    def __init__(self, **settings: "Any") -> None:
        self.mains = Mains()
        self.clock = FakeClock()
        self.storage = FakeStorage(self.clock, self.mains)
        self.retained = FakeRetained(self.mains)
        self.outputs = FakeOutputs(self.clock, self.mains)
        self.serial = FakeSerial(self.clock)
        self.backend = FakeBackend()
        self.system = FakeSystem(self.mains)
        self.networks = {SSID: PASSWORD}
        self.radio = FakeRadio(self.clock, self.networks)
        self.watchdog = FakeWatchdogTimer(self.clock)
        self.interrupted_items: list[int] = []  # indexes of those that were under way, once for each time
        self.calendar = FakeCalendarClock(self.clock)
        self.cuts = 0
        self.resets = 0
        self.dispenser: Any = None
        self.remount: Callable[[], None] = lambda: None
        saved: dict[str, Any] = {
            "ssid": SSID,
            "password": PASSWORD,
            "backend_url": "http://backend.test:8000",
        }
        saved["device_token"] = self.backend.token
        saved.update(settings)
        self.storage.files["settings.json"] = json.dumps(saved).encode()

    @property
    def lines(self) -> "list[str]":
        return self.serial.lines

    def boot(self) -> None:
        """Power up: outputs closed, everything put together anew."""
        self.mains.on = True
        self.remount()
        self.clock.advance(BOOT_MS)
        self.clock.boot()
        self.watchdog.timeout_ms = 0
        self.radio.lose_power()
        self.outputs.boot()
        parts = self._parts()
        self.dispenser = firmware("dispenser").Dispenser(parts, "0.1.0")
        firmware("improv_service").ImprovService(parts, "0.1.0").listen()
        self.dispenser.setup()

    def run(self, until: "Callable[[], bool]", limit_ms: int = 600_000) -> None:
        """Loop until it is so, through every cut and reset; fails with the last lines when time is over."""
        end_ms = self.clock.now_ms + limit_ms
        while not (self.dispenser is not None and self.mains.on and until()):
            if self.clock.now_ms >= end_ms:
                raise AssertionError("not within the time; last lines:\n" + "\n".join(self.lines[-15:]))
            self.step()

    def step(self) -> None:
        """One pass of the loop, or a boot."""
        try:
            if self.dispenser is None:
                self.boot()
            self.dispenser.loop()
        except PowerCut:
            self._go_down()
            self.outputs.lose_power()
            self.calendar.lose_power()
            self.retained.data = b""
            self.cuts += 1
        except Restart:
            self._go_down()
            if not self.outputs.keeps_pulses:
                self.outputs.lose_power()
            self.resets += 1

    def run_for(self, duration_ms: int) -> None:
        """Loop for so long."""
        end_ms = self.clock.now_ms + duration_ms
        self.run(lambda: self.clock.now_ms >= end_ms, duration_ms + 60_000)

    def run_job(self, job: "dict[str, Any]", limit_ms: int = 600_000) -> None:
        """Hand out a job and run until the board has done with it."""
        self.backend.queue.append(job)
        self.run(lambda: job["id"] in self.backend.reports and self.idle, limit_ms)

    @property
    def idle(self) -> bool:
        """No job on the board."""
        return self.dispenser.job is None and "job_state" not in self.storage.names()

    def ask(self, op: str, **fields: "Any") -> "dict[str, Any]":
        """A control line's answer."""
        request: dict[str, Any] = {"id": 77, "op": op}
        request.update(fields)
        before = len(self.serial.answers())
        self.serial.type_in(b"@dispctl " + json.dumps(request).encode() + b"\n")
        self.run(lambda: len(self.serial.answers()) > before, 5_000)
        return self.serial.answers()[-1]

    def while_pouring(self, jar: int, after_ms: int, action: "Callable[[], None]") -> None:
        """Do something once `jar` has been open for `after_ms` for the first time."""

        def look() -> None:
            is_open = self.outputs.is_open(jar)
            self.clock.after(after_ms if is_open else 1, action if is_open else look)

        self.clock.after(1, look)

    def _go_down(self) -> None:
        job = self.dispenser.job if self.dispenser is not None else None
        if job is not None and job.next_item() >= 0:
            self.interrupted_items.append(job.next_item())
        self.mains.on = False
        self.dispenser = None

    def _parts(self) -> "Any":
        parts = firmware("parts").Parts()
        parts.clock = self.clock
        parts.outputs = firmware("jars").Jars(self.outputs, parts, lambda _: self.outputs)
        parts.storage = self.storage
        parts.retained = self.retained
        parts.radio = self.radio
        parts.system = self.system
        parts.console = firmware("console").Console(self.serial)
        parts.watchdog = firmware("watchdog").Watchdog(self.watchdog, self.clock)
        parts.idle = firmware("idle").Idle(self.clock, parts.console, parts.watchdog)
        parts.settings = firmware("settings").Settings(self.storage)
        parts.wifi = firmware("wifi").WifiLink(self.radio, self.clock, parts.console, parts.settings)
        transport = FakeTransport(self.backend, self.clock, self.radio, self.calendar, parts.idle.wait_ms)
        http_client = firmware("http_client").HttpClient
        http = http_client(transport, self.clock)
        unchecked = http_client(transport.unchecked(), self.clock)
        clock = firmware("certificate_clock").CertificateClock(self.calendar, self.storage, self.clock)
        parts.certificate_clock = clock
        backend_time = firmware("backend_time").BackendTime(clock, unchecked, parts.console)
        parts.backend = firmware("backend").Backend(
            http, backend_time, parts.settings, self.system, parts.console, version="0.1.0"
        )
        return parts


def claim_code() -> str:
    """The code that the backend accepts."""
    return CODE
