"""What the firmware is put together from; knows the shape of each part and makes none (see `main`).

Every part is injected, so that the same firmware runs on the board, on CPython and over fakes that cut the power.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from .backend import Backend
    from .certificate_clock import CertificateClock
    from .console import Console
    from .idle import Idle
    from .jars import Jars
    from .settings import Settings
    from .watchdog import Watchdog
    from .wifi import WifiLink

    class Outputs(Protocol):
        """The jars' actuators and the vibration motor. Every method may raise OSError (a bus without an answer)."""

        @property
        def may_be_open(self) -> bool:
            """Whether a jar has been told to open and not, with success, to close."""

        @property
        def absent(self) -> bool:
            """Whether nothing is driven because no actuator has been saved."""

        def open(self, jar: int) -> None:
            """Open jar 1 to 4."""

        def close_jars(self) -> None:
            """Close every jar."""

        def close_all(self) -> None:
            """Close every jar and stop the motor."""

        def vibrate(self, percent: int) -> None:
            """Run the motor at 0 (off) to 100."""

        def renew(self) -> None:
            """Make anew what leads to the actuators, after they have not answered."""

    class Clock(Protocol):
        """Time as MicroPython's `time` has it."""

        def ticks_ms(self) -> int:
            """A counter of ms that wraps around; only differences mean something."""

        def ticks_diff(self, later: int, earlier: int) -> int:
            """`later` - `earlier` in ms across the wrap."""

        def sleep_ms(self, duration_ms: int) -> None:
            """Wait without serving anything."""

        def uptime_ms(self) -> int:
            """Milliseconds since boot; does not wrap."""

    class CalendarClock(Protocol):
        """The chip's clock of date and time; it goes on through a reset and shows 2000-01-01 at power-on."""

        def utc(self) -> int:
            """Seconds since 1970."""

        def set_utc(self, utc: int) -> None:
            """Show another time from now on."""

    class Storage(Protocol):
        """The files in `/`. Everything may raise OSError; a write is whole or not there after a power cut."""

        def read(self, name: str) -> bytes:
            """The file's contents; OSError if there is none."""

        def write(self, name: str, data: bytes) -> None:
            """Replace the file's contents."""

        def rename(self, old: str, new: str) -> None:
            """Rename over what is there."""

        def remove(self, name: str) -> None:
            """Remove it; OSError if there is none."""

        def names(self) -> "list[str]":
            """Names of the files in `/`."""

        def size(self, name: str) -> int:
            """Bytes of a file."""

    class Retained(Protocol):
        """Memory that survives a reset but not a power cut."""

        def read(self) -> bytes:
            """What was written last; b"" after power-on."""

        def write(self, data: bytes) -> None:
            """Replace it."""

    class Serial(Protocol):
        """The cable."""

        def wait(self, duration_ms: int) -> bool:
            """Wait until a byte has come or `duration_ms` have passed; whether one has come."""

        def read(self) -> int:
            """The next byte, or -1 if none is there."""

        def write(self, data: bytes) -> None:
            """Send `data` whole, as it is."""

    class Radio(Protocol):
        """The Wi-Fi station; no method but `scan` waits. `connect`, `disconnect` and `scan` may raise OSError or RuntimeError."""

        def connect(self, ssid: str, password: str) -> None:
            """Try to join, once."""

        def disconnect(self) -> None:
            """Leave the network."""

        def joined(self) -> bool:
            """Whether there is an address."""

        def reason(self) -> "str | None":
            """Why a try came to nothing: no_such_network, wrong_password, failed; no_dhcp without an address; or None."""

        def rssi(self) -> "int | None":
            """Signal in dBm; None when not associated."""

        def address(self) -> str:
            """The IPv4 address."""

        def scan(self) -> "list[dict[str, Any]]":
            """Networks as `{ssid, rssi, channel, secure}`; takes seconds."""

    class System(Protocol):
        """The chip."""

        uid: str
        mac: str
        reset_cause: str

        def reset(self) -> None:
            """Restart; does not return on the board."""

        def keyboard_interrupt(self, enabled: bool) -> None:
            """Whether the byte 0x03 raises KeyboardInterrupt or is read as data."""

        def free_heap(self) -> int:
            """Bytes."""

        def collect(self) -> None:
            """Collect garbage now, so that it is not done later."""

        def exception_text(self, error: BaseException) -> str:
            """The traceback as MicroPython prints it."""

        def random(self) -> float:
            """0 ≤ x < 1."""


class Parts:
    """All of them, by name; `abort_requested` is the operator's word to stop the job."""

    outputs: "Jars"
    clock: "Clock"
    storage: "Storage"
    retained: "Retained"
    radio: "Radio"
    system: "System"
    console: "Console"
    watchdog: "Watchdog"
    idle: "Idle"
    settings: "Settings"
    wifi: "WifiLink"
    certificate_clock: "CertificateClock"
    backend: "Backend"

    def __init__(self) -> None:
        self.abort_requested = False
        self.pouring = False
