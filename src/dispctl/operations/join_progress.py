"""Follows a board from new settings to claimed, and says why where it does not get there.

The board's status tells how things stand; its log, on the same cable, tells which attempt ended how: a status may still
hold the reason of an attempt from before.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from dispctl.errors import (
    BackendRefusedError,
    BackendUnreachableError,
    BoardRefusedError,
    DeadlineError,
    DispctlError,
)
from dispctl.logs.events import read_line
from dispctl.operations.provision_events import (
    BackendReached,
    BoardClaimed,
    NetworkJoined,
    PourAwaited,
    ProvisionEvent,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dispctl.adapters.control import ControlLine

POLL_INTERVAL_S = 0.3
CLAIM_ATTEMPTS = 2
"""A first call may fail while the network is settling; the firmware tries again after about 5 s."""


class JoinProgress:
    """Polls the board's status and tells each step once, in order; made before the settings are sent."""

    def __init__(
        self, control: ControlLine, ssid: str, url: str, *, old_ssid: str | None, timeout_s: float
    ) -> None:
        self._control = control
        self._ssid = ssid
        self._old_ssid = old_ssid
        self._url = url
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._joined = False
        self._wifi_failure: str | None = None
        self._claim_failures: list[int] = []
        control.listeners.append(self._hear)

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
            if not self._joined and self._has_joined(status["wifi"]):
                self._joined = True
                yield NetworkJoined(self._ssid, status["wifi"]["rssi"])
            if self._joined and self._is_claimed(status["backend"]):
                yield BackendReached(self._url)
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

    def _hear(self, text: str) -> None:
        line = read_line(text)
        if line.event == "wifi_failed" and line.fields["ssid"] == self._ssid:
            self._wifi_failure = str(line.fields["error"])
        elif line.event == "claim_failed":
            self._claim_failures.append(int(line.fields["status"]))

    def _has_joined(self, wifi: dict[str, Any]) -> bool:
        if wifi["trying_new"]:
            return False
        if wifi["failed_ssid"] == self._ssid:
            reason = self._wifi_failure or wifi["reason"] or "no reason given"
            raise not_joined(self._ssid, reason, old_ssid=self._old_ssid)
        return bool(wifi["joined"] and wifi["ssid"] == self._ssid)

    def _is_claimed(self, backend: dict[str, Any]) -> bool:
        failures = self._claim_failures
        if failures and (failures[-1] in _REFUSALS or len(failures) >= CLAIM_ATTEMPTS):
            raise not_claimed(self._url, failures[-1], str(backend["error"]))
        if not backend["claimed"]:
            return False
        # A token of before is a claim too: the code that was sent must have been used.
        return not self._control.request("get_settings")["settings"]["claim_code"]

    def _require_time(self, status: dict[str, Any]) -> None:
        if time.monotonic() < self._deadline:
            return
        missing = "been claimed" if self._joined else f"joined the network '{self._ssid}'"
        raise DeadlineError(
            f"After {self._timeout_s:g} s the board has not {missing}; it is in state {status['state']}.",
            hint="See what it does with: dispctl monitor.",
        )


_NOT_JOINED = {
    "no_such_network": (
        "The board sees no network '{ssid}'.",
        "Check the name, and that the network has a 2.4 GHz band in reach of the board.",
    ),
    "wrong_password": (
        "The network '{ssid}' does not accept this password.",
        "Try again with the right one.",
    ),
    "no_dhcp": (
        "The network '{ssid}' gave the board no address.",
        "Check the router's DHCP, then try again.",
    ),
}
"""What the firmware's reasons mean to a person, and what to do about them."""


def not_joined(ssid: str, reason: str, *, old_ssid: str | None) -> BoardRefusedError:
    """Why the board is not on the network; `reason` is the firmware's, `old_ssid` the network it had before."""
    unknown = (
        "The board could not join the network '{ssid}': {reason}.",
        "Move the board closer, then try again.",
    )
    message, hint = _NOT_JOINED.get(reason, unknown)
    if old_ssid == ssid:
        hint += " The board goes back to the password it had."
    elif old_ssid:
        hint += f" The board goes back to '{old_ssid}'."
    return BoardRefusedError(message.format(ssid=ssid, reason=reason), hint=hint)


_UNREACHED = (
    (
        re.compile(r"(?i)x509|cert|mbedtls|ssl|-9984|-30592"),
        "The board does not trust the certificate of {url}: {words}.",
        "Give the authority that signed it with --ca FILE.",
    ),
    (
        re.compile(r"^-20[0-9]$|^-[235]$|(?i:getaddrinfo|EAI_)"),
        "The board cannot find the host of {url}: its name does not resolve.",
        "Check the address, and the name server that the network gives out.",
    ),
    (
        re.compile(r""),
        "The board gets no answer from {url}: {words}.",
        "Check the address, and that the board's network has a way to it.",
    ),
)
"""By the words of the firmware's HTTP client: lwIP's and mbedTLS's numbers where they give no text."""
_REFUSALS = frozenset(range(400, 500)) - {408, 429}
"""HTTP statuses that no repetition changes: all of the client's errors but a time-out and too many requests."""


def not_claimed(url: str, status: int, words: str) -> DispctlError:
    """Why the claim failed: the HTTP `status`, 0 for no answer, and the firmware's `words` on it."""
    if status in _REFUSALS:
        return BackendRefusedError(
            f"The backend refused the claim (HTTP {status}): the code is wrong, used or expired.",
            status=status,
            hint="A code serves once, for 10 minutes. Repeat the command to get a new one.",
        )
    if status:
        return BackendRefusedError(
            f"The backend failed over the claim (HTTP {status}).",
            status=status,
            hint="See the backend's own log.",
        )
    message, hint = next((message, hint) for pattern, message, hint in _UNREACHED if pattern.search(words))
    return BackendUnreachableError(message.format(url=url, words=words), hint=hint)
