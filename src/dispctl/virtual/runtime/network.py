"""MicroPython's `network` for an ESP32: the station answers as the radio outside this process says."""

# ruff: noqa: D103 - the functions are MicroPython's own, described in its documentation

from runtime import bus
from runtime import time as _time

STA_IF = 0
AP_IF = 1
MODE_11B = 1
MODE_11G = 2
MODE_11N = 4
AUTH_OPEN = 0
AUTH_WPA2_PSK = 3
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_BEACON_TIMEOUT = 200
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204

_state = {"hostname": "mpy-esp32", "country": "XX"}


class WLAN:
    """The station (`IF_STA`) or the access point (`IF_AP`), which can be switched on and is seen by nobody."""

    IF_STA = STA_IF
    IF_AP = AP_IF
    SEC_OPEN = 0
    SEC_WPA2 = 3
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface=STA_IF):
        if interface not in (STA_IF, AP_IF):
            raise ValueError("invalid WLAN interface identifier")
        self._interface = interface

    def active(self, wanted=None):
        if wanted is None:
            return self._ask("status")["active"]
        return self._ask("active", active=bool(wanted))["active"]

    def connect(self, ssid=None, key=None, *, bssid=None):
        ssid = ssid.decode() if isinstance(ssid, (bytes, bytearray)) else ssid
        key = key.decode() if isinstance(key, (bytes, bytearray)) else key
        if not self._ask("status")["active"]:
            raise OSError("Wifi Not Started")
        self._ask("connect", ssid=ssid, key=key)

    def disconnect(self):
        self._ask("disconnect")

    def isconnected(self):
        return self._ask("status")["status"] == STAT_GOT_IP

    def status(self, what=None):
        state = self._ask("status")
        if what is None:
            return state["status"]
        if what == "rssi":
            return state["rssi"]
        raise ValueError("unknown status param")

    def scan(self):
        found = self._ask("scan")["networks"]
        _time.sleep_ms(1200)
        return [
            (
                entry["ssid"].encode(),
                bytes(entry["bssid"]),
                entry["channel"],
                entry["rssi"],
                entry["security"],
                False,
            )
            for entry in found
        ]

    def ifconfig(self, settings=None):
        if settings is not None:
            return None
        state = self._ask("status")
        return (state["ip"], state["netmask"], state["gateway"], state["gateway"])

    def ipconfig(self, what=None, **settings):
        if what is None:
            return None
        address, netmask, gateway, _ = self.ifconfig()
        known = {
            "addr4": (address, netmask),
            "gw4": gateway,
            "dhcp4": True,
            "has_dhcp4": address != "0.0.0.0",
        }
        return known[what]

    def config(self, what=None, **settings):
        if what is None:
            self._ask("config", settings=settings)
            return None
        if what == "mac":
            return bytes(self._ask("status")["mac"])
        return self._ask("status")["config"][what]

    def _ask(self, what, **fields):
        _time.look_outside()
        return bus.ask(bus.WIFI, what=what, interface=self._interface, **fields)


def hostname(name=None):
    if name is None:
        return _state["hostname"]
    _state["hostname"] = name
    return None


def country(code=None):
    if code is None:
        return _state["country"]
    _state["country"] = code
    return None


def phy_mode(mode=None):
    return MODE_11B | MODE_11G | MODE_11N
