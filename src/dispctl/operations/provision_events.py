"""What `provision` tells, step by step. No event carries a secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BoardFound:
    """The firmware answered."""

    uid: str
    version: str
    state: str


@dataclass(frozen=True)
class ActuatorSaved:
    """The board knows what moves its jars, and drives it at once unless `restart_needed`: it drove another before."""

    restart_needed: bool


@dataclass(frozen=True)
class SettingsSaved:
    """The board has the new settings; `names` are those that were sent, without their values."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class PourAwaited:
    """The board is pouring and tries the new network after that."""

    job_id: int | None
    item: int | None
    total: int | None


@dataclass(frozen=True)
class NetworkJoined:
    """The board is on the network."""

    ssid: str
    rssi_dbm: int | None


@dataclass(frozen=True)
class BackendReached:
    """The backend has answered the board."""

    url: str


@dataclass(frozen=True)
class BoardClaimed:
    """The board belongs to the operator."""

    uid: str


@dataclass(frozen=True)
class SeenOnline:
    """The backend lists the board as online."""

    uid: str


ProvisionEvent = (
    BoardFound
    | ActuatorSaved
    | SettingsSaved
    | PourAwaited
    | NetworkJoined
    | BackendReached
    | BoardClaimed
    | SeenOnline
)
