"""What a running backend is set to: where it keeps its data, what it signs with, how long things last."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Settings:
    """One backend's settings; the defaults are the contract's numbers.

    `database_url` is an SQLAlchemy URL; `secret` signs the operators' cookies (at least 32 bytes). `clock` gives aware
    UTC times: tests put their own in.
    """

    database_url: str
    secret: bytes = field(repr=False)
    clock: Callable[[], datetime] = utc_now
    session_lasts: timedelta = timedelta(days=7)
    claim_lasts: timedelta = timedelta(minutes=10)
    online_within: timedelta = timedelta(seconds=90)
    heartbeat_s: int = 30
    attempts_window: timedelta = timedelta(minutes=10)
    login_attempts: int = 10
    login_attempts_per_address: int = 100
    claim_attempts: int = 20
