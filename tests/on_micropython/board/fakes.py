"""Stand-ins for everything around the firmware, in virtual time. Runs on CPython and MicroPython; imports no firmware.

A power cut is an exception that no handler of the firmware's catches; after it the storage and the outputs are dead
until the next boot, as on a board.
"""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TICKS_PERIOD = 1 << 19  # far shorter than the chip's: longer tests see the counter wrap around
FLASH_MS = 2
YEAR_2000 = 946_684_800
JOIN_MS, REJECT_MS = 400, 2_500


class PowerCut(BaseException):
    """The power went away."""


class Restart(BaseException):
    """The chip was reset: RTC memory is kept."""


class Mains:
    """Whether there is power, and how it went away: `interrupted` has the last jar and whether RTC memory is lost."""

    def __init__(self) -> None:
        self.on = True
        self._end: type[BaseException] = PowerCut
        self.last_jar = (
            0  # the jar that was opened last, for whoever has to say which one an interruption met
        )
        self.interrupted: list[tuple[int, bool]] = []

    def cut(self) -> None:
        self._end = PowerCut
        self._go()

    def reset(self) -> None:
        self._end = Restart
        self._go()

    def check(self) -> None:
        """After a cut nothing works any more, however the program goes on."""
        if not self.on:
            raise self._end

    def _go(self) -> None:
        self.on = False
        self.interrupted.append((self.last_jar, self._end is PowerCut))
        raise self._end


class FakeClock:
    """Virtual time; `at` runs something when a moment is reached (it may raise PowerCut)."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._uptime_ms = 0
        self._asked = 0
        self._events: list[tuple[int, Callable[[], None]]] = []

    def at(self, moment_ms: int, action: "Callable[[], None]") -> None:
        self._events.append((moment_ms, action))
        self._events.sort(key=lambda event: event[0])

    def after(self, duration_ms: int, action: "Callable[[], None]") -> None:
        self.at(self.now_ms + duration_ms, action)

    def advance(self, duration_ms: int) -> None:
        end_ms = self.now_ms + duration_ms
        while self._events and self._events[0][0] <= end_ms:
            moment_ms, action = self._events.pop(0)
            self.now_ms = max(self.now_ms, moment_ms)
            action()
        self.now_ms = max(self.now_ms, end_ms)

    def advance_to_event(self, end_ms: int) -> None:
        """Up to the next event, but not beyond `end_ms`."""
        next_ms = self._events[0][0] if self._events else end_ms
        self.advance(max(min(next_ms, end_ms) - self.now_ms, 0))

    def ticks_ms(self) -> int:
        return self.now_ms % TICKS_PERIOD

    def ticks_diff(self, later: int, earlier: int) -> int:
        half = TICKS_PERIOD // 2
        return (later - earlier + half) % TICKS_PERIOD - half

    def sleep_ms(self, duration_ms: int) -> None:
        self.advance(duration_ms)

    def boot(self) -> None:
        self._uptime_ms = 0
        self._asked = self.ticks_ms()

    def uptime_ms(self) -> int:
        """As the chip's: asked too seldom, it jumps."""
        now = self.ticks_ms()
        self._uptime_ms += self.ticks_diff(now, self._asked)
        self._asked = now
        return self._uptime_ms


class FakeCalendarClock:
    """The chip's clock of date and time: goes on through a reset, shows 2000-01-01 after a power cut."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.lose_power()

    def lose_power(self) -> None:
        self.set_utc(YEAR_2000)

    def utc(self) -> int:
        return self._utc + (self._clock.now_ms - self._set_ms) // 1000

    def set_utc(self, utc: int) -> None:
        self._utc, self._set_ms = utc, self._clock.now_ms


class FakeStorage:
    """Files in a dict; `cut_at` names the operation (1 is the next) at which the power goes.

    It goes before the operation, or, `torn`, with a new file left empty, as littlefs leaves it when it was created
    and not yet closed.
    """

    def __init__(self, clock: FakeClock, mains: Mains) -> None:
        self.files: dict[str, bytes] = {}
        self.operations = 0
        self.cut_at = 0
        self.torn = False
        self.full = False
        self._clock = clock
        self._mains = mains

    def read(self, name: str) -> bytes:
        self._mains.check()
        if name not in self.files:
            raise OSError(2)
        return self.files[name]

    def write(self, name: str, data: bytes) -> None:
        if self._begin() and self.torn and name not in self.files:
            self.files[name] = b""
        self._mains_or_cut()
        if self.full:
            raise OSError(28)
        self.files[name] = bytes(data)
        self._clock.advance(FLASH_MS)

    def rename(self, old: str, new: str) -> None:
        self._begin()
        self._mains_or_cut()
        self.files[new] = self.files.pop(old)

    def remove(self, name: str) -> None:
        self._begin()
        self._mains_or_cut()
        if name not in self.files:
            raise OSError(2)
        del self.files[name]

    def names(self) -> "list[str]":
        return list(self.files)

    def size(self, name: str) -> int:
        return len(self.read(name))

    def _begin(self) -> bool:
        self._mains.check()
        self.operations += 1
        return self.operations == self.cut_at

    def _mains_or_cut(self) -> None:
        if self.operations == self.cut_at:
            self._mains.cut()


class FakeRetained:
    """RTC memory."""

    def __init__(self, mains: Mains) -> None:
        self.data = b""
        self._mains = mains

    def read(self) -> bytes:
        return self.data

    def write(self, data: bytes) -> None:
        self._mains.check()
        self.data = bytes(data)


class FakeOutputs:
    """Ground truth: when each jar was open.

    `broken` makes the bus not answer, `failures` that many times; with `keeps_pulses` a reset closes nothing, as with a
    servo driver. `renewals` counts the bus's.
    """

    absent = False

    def __init__(self, clock: FakeClock, mains: Mains) -> None:
        self.poured_ms = [0, 0, 0, 0]
        self.openings: list[tuple[int, int, int]] = []
        self.vibrations: list[tuple[int, int]] = []
        self.broken = False
        self.failures = 0
        self.keeps_pulses = False
        self.may_be_open = False
        self.renewals = 0
        self.fail_next_open: BaseException | None = None
        self._open: dict[int, int] = {}
        self._clock = clock
        self._mains = mains

    @property
    def any_open(self) -> bool:
        return bool(self._open)

    def is_open(self, jar: int) -> bool:
        return jar in self._open

    def open(self, jar: int) -> None:
        self._answer()
        if self.fail_next_open is not None:
            failure, self.fail_next_open = self.fail_next_open, None
            raise failure
        assert not self._open, "two jars at once"
        self.may_be_open = True
        self._mains.last_jar = jar
        self._open[jar] = self._clock.now_ms

    def close_jars(self) -> None:
        self._answer()
        self.lose_power()
        self.may_be_open = False

    def close_all(self) -> None:
        self.close_jars()
        self.vibrate(0)

    def renew(self) -> None:
        self.renewals += 1

    def boot(self) -> None:
        """A new run closes first thing, if the bus lets it."""
        self.may_be_open = False
        if not (self.broken or self.failures):
            self.close_all()

    def _answer(self) -> None:
        self._mains.check()
        if self.broken or self.failures:
            self.failures = max(self.failures - 1, 0)
            raise OSError(19)

    def lose_power(self) -> None:
        for jar, opened_ms in self._open.items():
            self.poured_ms[jar - 1] += self._clock.now_ms - opened_ms
            self.openings.append((jar, opened_ms, self._clock.now_ms))
        self._open = {}

    def vibrate(self, percent: int) -> None:
        if not self.vibrations or self.vibrations[-1][1] != percent:
            self.vibrations.append((self._clock.now_ms, percent))


class FakeSerial:
    """The cable: `type_in` puts bytes on it; `lines` is what came out, `frames` the Improv frames among it."""

    def __init__(self, clock: FakeClock) -> None:
        self.lines: list[str] = []
        self.writes: list[bytes] = []
        self.frames: list[bytes] = []
        self._incoming = bytearray()
        self._position = 0
        self._clock = clock

    def type_in(self, data: bytes) -> None:
        self._incoming.extend(data)

    def wait(self, duration_ms: int) -> bool:
        """Bytes come with the clock's events only: the time between them passes at once."""
        end_ms = self._clock.now_ms + duration_ms
        while not self._waiting() and self._clock.now_ms < end_ms:
            self._clock.advance_to_event(end_ms)
        return self._waiting()

    def read(self) -> int:
        if not self._waiting():
            return -1
        self._position += 1
        return self._incoming[self._position - 1]

    def _waiting(self) -> bool:
        if self._position and self._position == len(self._incoming):
            self._incoming = bytearray()
            self._position = 0
        return self._position < len(self._incoming)

    def write(self, data: bytes) -> None:
        self.writes.append(bytes(data))
        if data.startswith(b"\nIMPROV"):
            self.frames.append(bytes(data))
            return
        for line in data.decode().split("\r\n")[:-1]:
            self.lines.append(line)

    def answers(self) -> "list[dict[str, Any]]":
        return [json.loads(line[6:]) for line in self.lines if line.startswith("[CTL] ")]


class FakeRadio:
    """A Wi-Fi with `networks` (name to password) that can be switched off.

    The next tries end with `misses`, one each, whatever is right. The driver raises `failure` where it is set. As on the
    ESP32 the reason of the try before is shown until the next has ended, and nothing is heard meanwhile.
    """

    def __init__(self, clock: FakeClock, networks: "dict[str, str]") -> None:
        self.networks = networks
        self.up = True
        self.misses: list[str] = []
        self.failure: Exception | None = None
        self.tries = 0
        self.join_ms = JOIN_MS
        self._clock = clock
        self._ssid: str | None = None
        self._why: str | None = None
        self._outcome: str | None = None
        self._since_ms = 0
        self._ends_ms = 0

    def connect(self, ssid: str, password: str) -> None:
        self._may_fail()
        self.tries += 1
        if self.misses:
            self._outcome = self.misses.pop(0)
        elif ssid not in self.networks:
            self._outcome = "no_such_network"
        else:
            self._outcome = None if self.networks[ssid] == password else "wrong_password"
        self._since_ms = self._clock.now_ms
        self._ends_ms = self._since_ms + (REJECT_MS if self._outcome else self.join_ms)
        self._ssid = None if self._outcome else ssid

    def disconnect(self) -> None:
        self._may_fail()
        self.lose_power()

    def lose_power(self) -> None:
        self._ssid = None
        self._ends_ms = self._clock.now_ms

    def joined(self) -> bool:
        return self.up and self._ssid is not None and self._clock.now_ms - self._since_ms >= self.join_ms

    def reason(self) -> "str | None":
        if not self.up:
            return "no_such_network"
        if self._clock.now_ms >= self._ends_ms:
            self._why = self._outcome
        return self._why

    def rssi(self) -> "int | None":
        return -50 if self.joined() else None

    def address(self) -> str:
        return "10.0.0.7"

    def scan(self) -> "list[dict[str, Any]]":
        self._may_fail()
        if self._clock.now_ms < self._ends_ms:
            return []
        return [{"ssid": ssid, "rssi": -50, "channel": 1, "secure": True} for ssid in sorted(self.networks)]

    def _may_fail(self) -> None:
        if self.failure:
            raise self.failure


class FakeSystem:
    """The chip."""

    uid = "esp-24a160aabbcc"
    mac = "24:a1:60:aa:bb:cc"

    def __init__(self, mains: Mains) -> None:
        self.reset_cause = "power_on"
        self.interrupts: list[bool] = []
        self._mains = mains
        self._seed = 1

    def reset(self) -> None:
        self._mains.reset()

    def keyboard_interrupt(self, enabled: bool) -> None:
        self.interrupts.append(enabled)

    def free_heap(self) -> int:
        return 100000

    def collect(self) -> None:
        pass

    def exception_text(self, error: BaseException) -> str:
        return "Traceback (most recent call last):\r\n" + type(error).__name__

    def random(self) -> float:
        self._seed = self._seed * 1103515245 + 12345 & 0x7FFFFFFF
        return self._seed / 0x80000000


class FakeWatchdogTimer:
    """The chip's watchdog: `check` resets a board that was not fed in time."""

    def __init__(self, clock: FakeClock) -> None:
        self.timeout_ms = 0
        self.starved_ms = 0
        self._fed_ms = clock.now_ms
        self._clock = clock

    def arm(self, timeout_ms: int) -> None:
        self.feed()
        self.timeout_ms = timeout_ms

    def feed(self) -> None:
        if self.timeout_ms:
            self.starved_ms = max(self.starved_ms, self._clock.now_ms - self._fed_ms - self.timeout_ms)
        self._fed_ms = self._clock.now_ms
