"""Whether a board's way to its backend works as it is set up now; changes no setting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dispctl.errors import BoardRefusedError, DeadlineError
from dispctl.operations.join_progress import not_claimed, not_joined
from dispctl.operations.provision import read_settings
from dispctl.operations.provision_events import (
    BackendReached,
    BoardClaimed,
    BoardFound,
    NetworkJoined,
    SeenOnline,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dispctl.adapters.control import ControlLine
    from dispctl.operations.provision_events import ProvisionEvent

POLL_INTERVAL_S = 0.5
FRESH_AFTER_S = 1.5
"""The firmware calls its backend at once when it is told to: what it says of the last call is no older."""
LASTING_S = 6.0
"""A call that fails once is repeated after 5 s at most; what fails for longer is a failure."""


def check_connection(
    control: ControlLine, *, is_online: Callable[[str], bool] | None = None, timeout_s: float = 30.0
) -> Iterator[ProvisionEvent]:
    """Follow the board until it works with its network and backend.

    Raises BoardRefusedError when it has no settings or cannot join, BackendUnreachableError or BackendRefusedError
    when the backend is the reason, DeadlineError after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    status = control.request("status")
    yield BoardFound(str(status["uid"]), str(status["version"]), str(status["state"]))
    _require_settings(status)
    control.request(
        "set_settings", settings={}
    )  # nothing changes, but all that waits for its time is done now
    control.listen(FRESH_AFTER_S)
    status = _until_joined(control, deadline)
    yield NetworkJoined(status["wifi"]["ssid"], status["wifi"]["rssi"])
    _require_owner(control, status)
    status = _until_reached(control, deadline)
    yield BackendReached(status["backend"]["url"])
    yield BoardClaimed(str(status["uid"]))
    if is_online is not None:
        _until_online(control, is_online, str(status["uid"]), deadline)
        yield SeenOnline(str(status["uid"]))


def _require_settings(status: dict[str, Any]) -> None:
    if status["wifi"]["ssid"] is None or status["backend"]["url"] is None:
        raise BoardRefusedError("The board has no network or no backend yet.", hint="Run: dispctl provision.")


def _require_owner(control: ControlLine, status: dict[str, Any]) -> None:
    """A board without a token, or a code to get one with, calls its backend for nothing."""
    if not status["backend"]["claimed"] and not read_settings(control)["claim_code"]:
        raise BoardRefusedError(
            "The board belongs to nobody: it is not claimed.", hint="Run: dispctl provision."
        )


def _until_joined(control: ControlLine, deadline: float) -> dict[str, Any]:
    while True:
        status = control.request("status")
        wifi = status["wifi"]
        if wifi["joined"]:
            return status
        if wifi["reason"] in {"no_such_network", "wrong_password", "no_dhcp"}:
            raise not_joined(str(wifi["ssid"]), wifi["reason"], old_ssid=None)
        _require_time(deadline, f"joined the network '{wifi['ssid']}'")
        control.listen(POLL_INTERVAL_S)


def _until_reached(control: ControlLine, deadline: float) -> dict[str, Any]:
    lasting = time.monotonic() + LASTING_S
    while True:
        status = control.request("status")
        backend = status["backend"]
        if backend["reached"] and backend["claimed"]:
            return status
        if backend["error"] and time.monotonic() >= lasting:
            raise not_claimed(str(backend["url"]), 0, str(backend["error"]))
        _require_time(deadline, f"reached {backend['url']}")
        control.listen(POLL_INTERVAL_S)


def _until_online(control: ControlLine, is_online: Callable[[str], bool], uid: str, deadline: float) -> None:
    while not is_online(uid):
        _require_time(deadline, "been seen online by the backend")
        control.listen(POLL_INTERVAL_S)


def _require_time(deadline: float, missing: str) -> None:
    if time.monotonic() >= deadline:
        raise DeadlineError(
            f"The board has not {missing} in time.", hint="See what it does with: dispctl monitor."
        )
