"""The time that certificates are checked against: at power-on the chip's clock shows 2000. Knows no TLS and no HTTP.

It matters who tells it. The cable, and a backend whose certificate was checked, are believed; what they say is kept on
flash, and the board starts at no earlier time, so that a certificate that has ended stays ended. A backend that nobody
vouches for is believed until the next start alone, and never before what is kept: it can stop the board from working,
as whoever is on the line can anyhow.
"""

from .timer import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import CalendarClock, Clock, Storage

CLOCK_FILE = "clock"
EARLIEST = 1_767_225_600  # 2026-01-01: this firmware is no older
LATEST = 2_840_140_800  # 2060-01-01: what is later is nonsense
ASK_AGAIN_MS = 60_000
_HOUR_S, _DAY_S = 3_600, 86_400
_EXACT_S = 60
_DATE_FIELDS = 6
_MARCH = 3
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class CertificateClock:
    """Times are seconds since 1970, UTC. `known` says whether somebody who is believed has told it since the start."""

    def __init__(self, calendar: "CalendarClock", storage: "Storage", clock: "Clock") -> None:
        self._calendar = calendar
        self._storage = storage
        self._asking = Timer(clock)
        self._kept = self._read()
        self._saved = True
        self.known = False
        if not self._kept <= calendar.utc() <= LATEST:
            calendar.set_utc(self._kept)

    @property
    def may_ask(self) -> bool:
        """Whether to ask somebody whom nobody vouches for; True once a minute at most."""
        if self.known or not self._asking.due:
            return False
        self._asking.start(ASK_AGAIN_MS)
        return True

    def set_by_cable(self, utc: object) -> None:
        """The host's time; also an earlier one than was kept, which so can be mended."""
        if not isinstance(utc, int) or not EARLIEST <= utc <= LATEST:
            return
        self._believe(utc)
        if abs(utc - self._kept) >= _HOUR_S:
            self._keep(utc)

    def set_by_checked(self, date: str) -> None:
        """The HTTP date of a backend whose certificate was checked."""
        if self.known and self._calendar.utc() - self._kept < _DAY_S:
            return
        utc = utc_of(date)
        if self._kept <= utc <= LATEST:
            self._believe(utc)
            if utc - self._kept >= _DAY_S:
                self._keep(utc)

    def set_by_unchecked(self, date: str) -> bool:
        """The HTTP date of a backend that nobody vouches for; whether the clock was set."""
        utc = utc_of(date)
        if not self._kept <= utc <= LATEST or abs(utc - self._calendar.utc()) < _EXACT_S:
            return False
        self._calendar.set_utc(utc)
        return True

    def save(self) -> None:
        """Keep what there is to keep; not while a jar is open. Raises OSError, and then does not try again."""
        if not self._saved:
            self._saved = True
            self._storage.write(CLOCK_FILE, str(self._kept).encode())

    def date(self) -> str:
        """The day that the clock shows, for the log."""
        return "%04d-%02d-%02d" % _civil(self._calendar.utc() // _DAY_S)

    def _believe(self, utc: int) -> None:
        self.known = True
        if abs(utc - self._calendar.utc()) >= _EXACT_S:
            self._calendar.set_utc(utc)

    def _keep(self, utc: int) -> None:
        self._kept = utc
        self._saved = False

    def _read(self) -> int:
        try:
            kept = int(self._storage.read(CLOCK_FILE))
        except (OSError, ValueError):
            return EARLIEST
        return kept if EARLIEST <= kept <= LATEST else EARLIEST


def utc_of(date: str) -> int:
    """An HTTP date (RFC 9110, 5.6.7: `Wed, 25 Nov 2026 13:25:09 GMT`) in seconds since 1970; 0 if it is none."""
    fields = date.split()
    if len(fields) != _DATE_FIELDS or fields[2] not in _MONTHS:
        return 0
    try:
        day, year = int(fields[1]), int(fields[3])
        hours, minutes, seconds = [int(number) for number in fields[4].split(":")]
    except ValueError:
        return 0
    days = _days(year, _MONTHS.index(fields[2]) + 1, day)
    return days * _DAY_S + hours * _HOUR_S + minutes * 60 + seconds


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March."""
    year -= month < _MARCH
    in_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + in_year - 719_468


def _civil(days: int) -> "tuple[int, int, int]":
    """Year, month and day of `days` since 1970-01-01: the inverse of `_days`."""
    year = 1970 + days // 366
    while _days(year + 1, 1, 1) <= days:
        year += 1
    month = 12
    while _days(year, month, 1) > days:
        month -= 1
    return year, month, days - _days(year, month, 1) + 1
