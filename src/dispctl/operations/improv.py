"""Join any device that speaks Improv Serial to a Wi-Fi. Knows nothing of backends: Improv does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.errors import BoardRefusedError
from dispctl.firmware import improv
from dispctl.operations.provision import Network, strongest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispctl.adapters.improv import ImprovLine
    from dispctl.operations.provision import WifiCredentials

STATES = {
    0: "stopped",
    improv.READY: "ready",
    improv.PROVISIONING: "joining",
    improv.PROVISIONED: "joined",
}
DEFAULT_TIMEOUT_S = 45.0
"""What the official client gives a device to join."""
_INFORMATION_TEXTS = 4


@dataclass(frozen=True)
class DeviceFound:
    """An Improv device answered; what it does not say of itself is empty."""

    firmware: str
    version: str
    chip: str
    name: str
    state: str


@dataclass(frozen=True)
class DeviceJoined:
    """It is on the network; `urls` is where it says to go on."""

    ssid: str
    urls: tuple[str, ...]


ImprovEvent = DeviceFound | DeviceJoined


def find_device(line: ImprovLine) -> DeviceFound:
    """Who is there; raises BoardSilentError when no Improv device is."""
    state = line.current_state()
    texts = [*line.texts(improv.GET_INFO), *[""] * _INFORMATION_TEXTS]
    firmware, version, chip, name = texts[:_INFORMATION_TEXTS]
    return DeviceFound(firmware, version, chip, name, STATES.get(state, f"state {state}"))


def scan_networks(line: ImprovLine) -> list[Network]:
    """The networks that the device sees, the strongest first; raises BoardRefusedError where it cannot scan."""
    return strongest_of(_network(texts) for texts in line.scan())


def _network(texts: list[str]) -> Network:
    ssid, rssi, secured = [*texts, "", "", ""][:3]
    try:
        rssi_dbm = int(rssi)
    except ValueError:
        rssi_dbm = -100
    return Network(ssid, rssi_dbm, is_open=secured == "NO")


def join(
    line: ImprovLine, wifi: WifiCredentials, *, timeout_s: float = DEFAULT_TIMEOUT_S
) -> Iterator[ImprovEvent]:
    """Hand `wifi` over and wait until the device has joined.

    Raises BoardRefusedError when it could not; Improv gives no reason.
    """
    try:
        urls = line.join(wifi.ssid, wifi.password, timeout_s=timeout_s)
    except BoardRefusedError as refusal:
        raise BoardRefusedError(
            f"The device did not join '{wifi.ssid}'. {refusal.message}",
            hint="Check the name and the password. Improv does not tell which of them is wrong.",
        ) from refusal
    yield DeviceJoined(wifi.ssid, tuple(urls))
