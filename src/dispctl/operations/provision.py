"""Give a board its network, its backend and its owner over the control lines, while it goes on with what it does.

Done means joined, backend reached, claimed and, where somebody can ask the backend, seen online there. The board keeps
its old network until it has joined the new one. Knows neither the backend's API nor the terminal: a claim code and the
look at the backend come as callables.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dispctl.errors import BoardRefusedError, UsageError
from dispctl.firmware.job import FIRST_LOCAL_ID
from dispctl.operations.join_progress import JoinProgress
from dispctl.operations.provision_events import ActuatorSaved, BoardFound, SeenOnline, SettingsSaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dispctl.adapters.control import ControlLine
    from dispctl.operations.provision_events import ProvisionEvent

DEFAULT_TIMEOUT_S = 90.0
SCAN_TIMEOUT_S = 30.0
CA_PIECE_CHARACTERS = 3000
MAX_CA_CHARACTERS = 8192
"""What the firmware's settings take; see `dispctl.firmware.settings`."""
MAX_SSID_BYTES = 32
PASSWORD_BYTES = (8, 63)
"""IEEE 802.11: a passphrase has 8 to 63 characters; an open network has none."""


ACTUATORS: dict[str, dict[str, Any]] = {
    "relay": {"kind": "relay", "active_high": True},
    "relay-active-low": {"kind": "relay", "active_high": False},
    "servo": {"kind": "servo"},
}
"""What the firmware's setting `actuator` is told of each; its pins and pulses stay as they are."""


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
        ssid_bytes = _size(self.ssid)
        if not 1 <= ssid_bytes <= MAX_SSID_BYTES:
            raise UsageError(f"A network's name has 1 to {MAX_SSID_BYTES} bytes, this one {ssid_bytes}.")
        shortest, longest = PASSWORD_BYTES
        if self.password and not shortest <= _size(self.password) <= longest:
            raise UsageError(
                f"A Wi-Fi password has {shortest} to {longest} bytes; an accented letter has two.",
                hint="For an open network give an empty one.",
            )


def _size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:  # bytes from the command line or the environment that are no text
        raise UsageError("The network's name or password is not UTF-8.") from None


@dataclass(frozen=True)
class BackendAccess:
    """Where the board's backend is, and how its certificate is checked: against `ca_pem`, or not at all.

    `is_same` says that it is the one that the board has, at another address: a job of it can be reported there.
    """

    url: str
    ca_pem: str | None = None
    tls_insecure: bool = False
    is_same: bool = False


def certificates_in(pem: bytes) -> str:
    """The certificates of a PEM file and nothing else of it; raises UsageError when there are none that can be read."""
    blocks = re.findall(
        r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem.decode("ascii", "replace"), re.DOTALL
    )
    text = "\n".join(blocks) + "\n"
    if len(text) > MAX_CA_CHARACTERS:
        raise UsageError(
            f"The CA file has {len(text)} characters of certificates, the board keeps {MAX_CA_CHARACTERS}.",
            hint="Give only the root that signed the backend's certificate.",
        )
    try:
        ssl.create_default_context(cadata=text)
    except ssl.SSLError as error:
        raise UsageError(
            "The CA file holds no certificate that can be read.", hint="It must be PEM."
        ) from error
    return text


def read_settings(control: ControlLine) -> dict[str, Any]:
    """The board's settings; secrets are booleans that say whether they are set."""
    settings: dict[str, Any] = control.request("get_settings")["settings"]
    return settings


def scan_networks(control: ControlLine) -> list[Network]:
    """The networks that the board sees, the strongest first, each name once, hidden ones left out."""
    found = control.request("scan", timeout_s=SCAN_TIMEOUT_S)["networks"]
    return strongest_of(
        Network(entry["ssid"], int(entry["rssi"]), is_open=not entry["secure"]) for entry in found
    )


def strongest_of(found: Iterable[Network]) -> list[Network]:
    """The strongest first, each name once, hidden ones left out."""
    strongest: dict[str, Network] = {}
    for network in sorted(found, key=lambda network: network.rssi_dbm, reverse=True):
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
    actuator: dict[str, Any] | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> Iterator[ProvisionEvent]:
    """Hand `wifi` and `backend` over and follow the board until it works with them.

    `actuator` is handed over before everything else: a board drives no pin until it has settings, and with the first
    that it gets it drives what they name.
    `claim_code` is called once, just before its code is used; `is_online(uid)` asks the backend. Time spent waiting for
    a pour does not count. Raises BoardRefusedError when the board cannot join (the reason is in the message) or has a job
    of another backend,
    BackendRefusedError or BackendUnreachableError when the backend is the reason, DeadlineError after `timeout_s`,
    UsageError when the backend's certificate could not be checked.
    """
    status = control.request("status")
    uid = str(status["uid"])
    yield BoardFound(uid, str(status["version"]), str(status["state"]))
    _require_no_job_of_another(status, backend)
    _require_trust(control, backend)
    following = JoinProgress(
        control, wifi.ssid, backend.url, old_ssid=status["wifi"]["ssid"], timeout_s=timeout_s
    )
    if actuator is not None:
        answer = control.request("set_settings", settings={"actuator": actuator})
        yield ActuatorSaved(bool(answer["restart_needed"]))
    _send_authority(control, backend.ca_pem)
    settings = {
        "ssid": wifi.ssid,
        "password": wifi.password,
        "backend_url": backend.url,
        "tls_insecure": backend.tls_insecure,
        "claim_code": claim_code(),
    }
    control.request("set_settings", settings=settings, same_backend=backend.is_same)
    yield SettingsSaved(tuple(settings))
    yield from following.until_claimed()
    if is_online is not None:
        following.until_seen(is_online, uid)
        yield SeenOnline(uid)


FORGOTTEN = (
    "ssid",
    "password",
    "backend_url",
    "ca_pem",
    "claim_code",
    "device_token",
    "device_id",
    "tls_insecure",
)
"""What ties a board to a place and an owner."""


def forget(control: ControlLine) -> str:
    """Let the board forget its network, backend and owner; returns its uid.

    Raises BoardRefusedError while it has a job, whose report would have nowhere to go.
    """
    status = control.request("status")
    if status["job"] is not None:
        raise BoardRefusedError(
            f"The board has job {status['job']}, whose report would have nowhere to go.",
            hint="Wait for its end, or drop it with: dispctl inspect-flash --clear.",
        )
    control.request("set_settings", settings=dict.fromkeys(FORGOTTEN))
    return str(status["uid"])


def _require_no_job_of_another(status: dict[str, Any], backend: BackendAccess) -> None:
    """The board refuses as well; here it is said how to go on."""
    job, url = status["job"], status["backend"]["url"]
    if job is None or job >= FIRST_LOCAL_ID or backend.is_same or url in {None, backend.url}:
        return
    raise BoardRefusedError(
        f"The board has job {job}, which it has to report to {url}.",
        hint=f"If {backend.url} is that backend's new address, add --same-backend. Else wait for the report, "
        "or drop the job with: dispctl inspect-flash --clear.",
    )


def _require_trust(control: ControlLine, backend: BackendAccess) -> None:
    if not backend.url.startswith("https://") or backend.tls_insecure or backend.ca_pem:
        return
    if not read_settings(control)["ca_pem"]:
        raise UsageError(
            f"The board has no authority to check the certificate of {backend.url} against.",
            hint="Give it with --ca FILE.",
        )


def _send_authority(control: ControlLine, ca_pem: str | None) -> None:
    """In pieces that fit the board's longest request."""
    for offset in range(0, len(ca_pem or ""), CA_PIECE_CHARACTERS):
        piece = (ca_pem or "")[offset : offset + CA_PIECE_CHARACTERS]
        value: Any = {"append": piece} if offset else piece
        control.request("set_settings", settings={"ca_pem": value}, repeatable=offset == 0)
