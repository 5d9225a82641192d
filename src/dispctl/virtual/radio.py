"""The Wi-Fi around the board and the station in it: who can be joined, with what result, and when the link is up.

Numbers of states and the station's habit of joining again by itself are those of MicroPython on an ESP32
(``network.STAT_…``). Time is the board's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

IDLE = 1000
CONNECTING = 1001
GOT_IP = 1010
BEACON_TIMEOUT = 200
NO_AP_FOUND = 201
WRONG_PASSWORD = 202

DEFAULT_NETWORKS = {"Cozinha": "tempero123"}
JOIN_MS = 400  # authentication and DHCP at close range
SEARCH_MS = 1500  # all channels heard and nothing found
REJECT_MS = 900  # the handshake has timed out
RSSI_DBM = -52
ADDRESS, NETMASK, GATEWAY, NOWHERE = "192.168.4.17", "255.255.255.0", "192.168.4.1", "0.0.0.0"
SECURITY_WPA2 = 3


@dataclass
class _Station:
    active: bool = False
    ssid: str = ""
    key: str = ""
    wanted: bool = False
    status: int = IDLE
    config: dict[str, Any] = field(default_factory=dict)


class Radio:
    """Access points and one station.

    `later(board_ms, call)` calls back in board time and returns what cancels it; `on_link(up)` is told of the link.
    """

    def __init__(
        self,
        networks: Mapping[str, str],
        mac: bytes,
        *,
        later: Callable[[float, Callable[[], None]], Callable[[], None]],
        on_link: Callable[[bool], None],
    ) -> None:
        self._networks = dict(networks)
        self._mac = mac
        self._later = later
        self._on_link = on_link
        self._cancel: Callable[[], None] | None = None
        self._access_point_active = False
        self._station = _Station()
        self.on_air = True
        self.dhcp = True

    @property
    def link_up(self) -> bool:
        """Whether the station has an address."""
        return self._station.status == GOT_IP

    def power_off(self) -> None:
        """Forget the station's state, as a reset does."""
        self._stop_waiting()
        was_up = self.link_up
        self._station = _Station()
        self._access_point_active = False
        if was_up:
            self._on_link(False)

    def set_on_air(self, on: bool) -> None:
        """Switch the access points on or off; a station that had joined tries again if so set up."""
        if on == self.on_air:
            return
        self.on_air = on
        if not self._station.wanted:
            return
        if self.link_up or self._tries_for_ever:
            self._set_status(CONNECTING if on else BEACON_TIMEOUT)
        if self._tries_for_ever:
            self._join()

    def set_dhcp(self, on: bool) -> None:
        """Have the access points hand out addresses or not; a station keeps the one it has."""
        self.dhcp = on
        if on and self._is_waiting_for_address:
            self._join()

    def answer(self, what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Do what ``network.WLAN`` asks (``active``, ``connect``, ``disconnect``, ``scan``, ``config``, ``status``)."""
        if fields.get("interface") == 1:
            return self._answer_for_access_point(fields)
        if what == "active":
            self._set_active(bool(fields["active"]))
        elif what == "connect":
            self._connect(fields.get("ssid"), fields.get("key"))
        elif what == "disconnect":
            self._disconnect()
        elif what == "config":
            self._station.config.update(fields["settings"])
        elif (
            what == "scan"
        ):  # which ESP-IDF refuses while it tries to join, and MicroPython takes for nothing heard
            return {"networks": [] if self._cancel is not None else self._visible()}
        return self._describe()

    def _answer_for_access_point(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        self._access_point_active = bool(fields.get("active", self._access_point_active))
        return {**self._describe(), "active": self._access_point_active, "status": IDLE, "ip": GATEWAY}

    def _describe(self) -> dict[str, Any]:
        up = self.link_up
        return {
            "active": self._station.active,
            "status": self._station.status,
            "rssi": RSSI_DBM if up or self._is_waiting_for_address else 0,
            "ip": ADDRESS if up else NOWHERE,
            "netmask": NETMASK if up else NOWHERE,
            "gateway": GATEWAY if up else NOWHERE,
            "mac": list(self._mac),
            "config": {"ssid": self._station.ssid, "channel": 6, "reconnects": -1, **self._station.config},
        }

    def _visible(self) -> list[dict[str, Any]]:
        if not self.on_air:
            return []
        return [
            {
                "ssid": ssid,
                "bssid": [0x02, 0, 0, 0, 0, number],
                "channel": 6,
                "rssi": RSSI_DBM - number,
                "security": SECURITY_WPA2 if password else 0,
            }
            for number, (ssid, password) in enumerate(self._networks.items())
        ]

    def _set_active(self, active: bool) -> None:
        if not active:
            self._disconnect()
        self._station.active = active

    def _connect(self, ssid: str | None, key: str | None) -> None:
        if ssid is not None:
            self._station.ssid, self._station.key = ssid, key or ""
        self._station.wanted = True
        if self._station.status not in (
            NO_AP_FOUND,
            WRONG_PASSWORD,
        ):  # shown until this try has ended as well
            self._set_status(CONNECTING)
        self._join()

    def _disconnect(self) -> None:
        self._stop_waiting()
        self._station.wanted = False
        self._set_status(IDLE)

    def _join(self) -> None:
        self._stop_waiting()
        result = self._result()
        delay_ms = {NO_AP_FOUND: SEARCH_MS, WRONG_PASSWORD: REJECT_MS}.get(result, JOIN_MS)
        self._cancel = self._later(delay_ms, lambda: self._finish_join(result))

    def _result(self) -> int:
        if not self.on_air or self._station.ssid not in self._networks:
            return NO_AP_FOUND
        if self._networks[self._station.ssid] != self._station.key:
            return WRONG_PASSWORD
        return GOT_IP if self.dhcp else CONNECTING  # which is all that MicroPython tells of a missing address

    def _finish_join(self, result: int) -> None:
        self._cancel = None
        self._set_status(result)
        if result not in (GOT_IP, CONNECTING) and self._tries_for_ever:
            self._join()

    @property
    def _tries_for_ever(self) -> bool:
        """MicroPython's own setting, unless a program asks for none; other numbers are not played here."""
        return bool(self._station.config.get("reconnects", -1) != 0)

    def _stop_waiting(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    @property
    def _is_waiting_for_address(self) -> bool:
        return self._station.wanted and self._station.status == CONNECTING and self._cancel is None

    def _set_status(self, status: int) -> None:
        was_up = self.link_up
        self._station.status = status
        if was_up != self.link_up:
            self._on_link(self.link_up)
