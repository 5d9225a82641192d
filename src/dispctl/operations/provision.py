"""Give a board its network, its backend and its owner over the control lines, while it goes on with what it does.

Done means joined, backend reached, claimed and, where somebody can ask the backend, seen online there. The board keeps
its old network until it has joined the new one. Knows neither the backend's API nor the terminal: a claim code and the
look at the backend come as callables.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dispctl.errors import (
    BackendRefusedError,
    BackendUnreachableError,
    BoardRefusedError,
    DeadlineError,
    DispctlError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dispctl.adapters.control import ControlLine

DEFAULT_TIMEOUT_S = 90.0
SCAN_TIMEOUT_S = 30.0
POLL_INTERVAL_S = 0.5
MAX_SSID_BYTES = 32
PASSWORD_BYTES = (8, 63)
"""IEEE 802.11: a passphrase has 8 to 63 characters; an open network has none."""


@dataclass(frozen=True)
class Network:
    """A network in reach of the board; `rssi_dbm` is its strength, near 0 the strongest."""

    ssid: str
    rssi_dbm: int
    is_open: bool


@dataclass(frozen=True)
class WifiCredentials:
    """Name and password of a network; an empty password means an open one. Raises UsageError if neither can be."""

    ssid: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.ssid.encode()) <= MAX_SSID_BYTES:
            raise UsageError(
                f"A network's name has 1 to {MAX_SSID_BYTES} bytes, this one {len(self.ssid.encode())}."
            )
        shortest, longest = PASSWORD_BYTES
        if self.password and not shortest <= len(self.password.encode()) <= longest:
            raise UsageError(
                f"A Wi-Fi password has {shortest} to {longest} characters.",
                hint="For an open network give an empty one.",
            )


@dataclass(frozen=True)
class BackendAccess:
    """Where the board's backend is, and how its certificate is checked: against `ca_pem`, or not at all."""

    url: str
    ca_pem: str | None = None
    tls_insecure: bool = False


@dataclass(frozen=True)
class BoardFound:
    """The firmware answered."""

    uid: str
    version: str
    state: str


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
    BoardFound | SettingsSaved | PourAwaited | NetworkJoined | BackendReached | BoardClaimed | SeenOnline
)


def read_settings(control: ControlLine) -> dict[str, Any]:
    """The board's settings; secrets are booleans that say whether they are set."""
    settings: dict[str, Any] = control.request("get_settings")["settings"]
    return settings


def scan_networks(control: ControlLine) -> list[Network]:
    """The networks that the board sees, the strongest first, each name once, hidden ones left out."""
    found = control.request("scan", timeout_s=SCAN_TIMEOUT_S)["networks"]
    strongest: dict[str, Network] = {}
    for entry in sorted(found, key=lambda entry: int(entry["rssi"]), reverse=True):
        network = Network(entry["ssid"], int(entry["rssi"]), is_open=bool(entry.get("open", False)))
        if network.ssid:
            strongest.setdefault(network.ssid, network)
    return list(strongest.values())


def provision(
    control: ControlLine,
    wifi: WifiCredentials,
    backend: BackendAccess,
    *,
    claim_code: Callable[[], str],
    is_online: Callable[[str], bool] | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> Iterator[ProvisionEvent]:
    """Hand `wifi` and `backend` over and follow the board until it works with them.

    `claim_code` is called once, just before its code is used; `is_online(uid)` asks the backend. Time spent waiting for
    a pour does not count. Raises BoardRefusedError when the board cannot join (the reason is in the message),
    BackendRefusedError or BackendUnreachableError when the backend is the reason, DeadlineError after `timeout_s`.
    """
    status = control.request("status")
    uid = str(status["uid"])
    yield BoardFound(uid, str(status["version"]), str(status["state"]))
    settings = _settings(wifi, backend) | {"claim_code": claim_code()}
    control.request("set_settings", settings=settings)
    yield SettingsSaved(tuple(settings))
    following = _Following(control, wifi, backend.url, timeout_s)
    yield from following.until_claimed()
    if is_online is not None:
        following.until_seen(is_online, uid)
        yield SeenOnline(uid)


def _settings(wifi: WifiCredentials, backend: BackendAccess) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "ssid": wifi.ssid,
        "password": wifi.password,
        "backend_url": backend.url,
        "tls_insecure": backend.tls_insecure,
    }
    if backend.ca_pem is not None:
        settings["ca_pem"] = backend.ca_pem
    return settings


class _Following:
    """Polls the board's status and tells each step once, in order."""

    def __init__(self, control: ControlLine, wifi: WifiCredentials, url: str, timeout_s: float) -> None:
        self._control = control
        self._ssid = wifi.ssid
        self._url = url
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._joined = self._reached = False

    def until_claimed(self) -> Iterator[ProvisionEvent]:
        """The steps up to the claim; raises what `provision` raises."""
        pour_told = False
        while True:
            status = self._control.request("status")
            if status["pouring"]:
                self._deadline = time.monotonic() + self._timeout_s
                if not pour_told:
                    yield PourAwaited(status["job"], status["item"], status["total"])
                pour_told = True
            else:
                yield from self._steps(status)
                if self._reached and status["backend"]["claimed"]:
                    yield BoardClaimed(str(status["uid"]))
                    return
                self._require_time(status)
            self._control.listen(POLL_INTERVAL_S)

    def until_seen(self, is_online: Callable[[str], bool], uid: str) -> None:
        """Wait until the backend lists the board as online."""
        while not is_online(uid):
            if time.monotonic() >= self._deadline:
                raise DeadlineError(
                    f"The board is claimed, but {self._url} does not list it as online after {self._timeout_s:g} s.",
                    hint="See the list with: dispctl devices.",
                )
            self._control.listen(POLL_INTERVAL_S)

    def _steps(self, status: dict[str, Any]) -> Iterator[ProvisionEvent]:
        wifi, backend = status["wifi"], status["backend"]
        if not self._joined and wifi["joined"] and wifi["ssid"] == self._ssid:
            self._joined = True
            yield NetworkJoined(self._ssid, wifi["rssi"])
        if not self._joined and wifi["reason"]:
            raise _not_joined(self._ssid, wifi["reason"])
        if self._joined and not self._reached and backend["reached"]:
            self._reached = True
            yield BackendReached(self._url)
        if self._joined and backend["error"] and not backend["claimed"]:
            raise _backend_failure(self._url, backend["error"])

    def _require_time(self, status: dict[str, Any]) -> None:
        if time.monotonic() < self._deadline:
            return
        if not self._joined:
            missing = f"joined the network '{self._ssid}'"
        elif not self._reached:
            missing = f"reached the backend at {self._url}"
        else:
            missing = "been claimed"
        raise DeadlineError(
            f"After {self._timeout_s:g} s the board has not {missing}; it is in state {status['state']}.",
            hint="See what it does with: dispctl monitor.",
        )


_NOT_JOINED = {
    "no_such_network": (
        "The board sees no network '{ssid}'.",
        "Check the name and that the network has a 2.4 GHz band in reach of the board.",
    ),
    "wrong_password": (
        "The network '{ssid}' does not accept this password.",
        "Try again with the right password.",
    ),
    "no_dhcp": (
        "The network '{ssid}' gave the board no address.",
        "Check the router's DHCP, then try again.",
    ),
}
"""What the firmware's reasons mean to a person, and what to do about them."""

_BACKEND_REFUSALS = {
    "claim_refused": (
        "The backend refused the claim: the code is wrong, used or expired.",
        "A code serves once and for 10 minutes; get a new one.",
    ),
}
_BACKEND_FAILURES = {
    "name_not_resolved": (
        "The board cannot find the backend's host in {url}.",
        "Check the address and the network's DNS.",
    ),
    "certificate_not_trusted": (
        "The board does not trust the certificate of {url}.",
        "Give the authority that signed it with --ca FILE.",
    ),
    "unreachable": (
        "The board gets no answer from {url}.",
        "Check the address, and that the network lets the board reach it.",
    ),
}
_OLD_NETWORK = " The board keeps the network it had."


def _not_joined(ssid: str, reason: str) -> BoardRefusedError:
    known = _NOT_JOINED.get(reason, ("The board could not join '{ssid}': " + reason + ".", "Try again."))
    return BoardRefusedError(known[0].format(ssid=ssid), hint=known[1] + _OLD_NETWORK)


def _backend_failure(url: str, reason: str) -> DispctlError:
    if reason in _BACKEND_REFUSALS:
        message, hint = _BACKEND_REFUSALS[reason]
        return BackendRefusedError(message, status=400, hint=hint)
    message, hint = _BACKEND_FAILURES.get(
        reason, (f"The board cannot use the backend: {reason}.", "Check the address.")
    )
    return BackendUnreachableError(message.format(url=url), hint=hint)
