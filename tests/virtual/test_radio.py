"""What joining brings, when, and what happens as the access points go and come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dispctl.virtual import radio
from dispctl.virtual.radio import Radio

if TYPE_CHECKING:
    from collections.abc import Callable

MAC = bytes(6)


class Air:
    """A radio with a clock that is moved by hand and a record of its link."""

    def __init__(self) -> None:
        self.now_ms = 0.0
        self.links: list[bool] = []
        self._calls: list[tuple[float, Callable[[], None]]] = []
        self.radio = Radio(
            {"Cozinha": "tempero123", "Aberta": ""}, MAC, later=self._later, on_link=self.links.append
        )
        self.radio.answer("active", {"active": True})

    def _later(self, delay_ms: float, call: Callable[[], None]) -> Callable[[], None]:
        entry = (self.now_ms + delay_ms, call)
        self._calls.append(entry)
        return lambda: self._calls.remove(entry)

    def join(self, ssid: str, key: str) -> None:
        self.radio.answer("connect", {"ssid": ssid, "key": key})

    def wait(self, ms: float) -> None:
        """Let board time pass, timers included."""
        end = self.now_ms + ms
        while due := sorted((one for one in self._calls if one[0] <= end), key=lambda one: one[0]):
            self._calls.remove(due[0])
            self.now_ms = due[0][0]
            due[0][1]()
        self.now_ms = end

    @property
    def status(self) -> Any:
        return self.radio.answer("status", {})["status"]


@pytest.mark.parametrize(
    ("ssid", "key", "status"),
    [
        ("Cozinha", "tempero123", radio.GOT_IP),
        ("Aberta", "", radio.GOT_IP),
        ("Cozinha", "wrong", radio.WRONG_PASSWORD),
        ("Vizinho", "tempero123", radio.NO_AP_FOUND),
    ],
)
def test_joining_ends_as_it_must(ssid: str, key: str, status: int) -> None:
    air = Air()
    air.join(ssid, key)
    assert air.status == radio.CONNECTING
    air.wait(2000)
    assert air.status == status
    assert air.links == ([True] if status == radio.GOT_IP else [])


def test_a_link_that_is_lost_comes_back_by_itself() -> None:
    air = Air()
    air.join("Cozinha", "tempero123")
    air.wait(1000)
    air.radio.set_on_air(on=False)
    assert air.links == [True, False]
    assert air.status == radio.BEACON_TIMEOUT
    air.wait(10_000)
    assert air.status == radio.NO_AP_FOUND
    air.radio.set_on_air(on=True)
    air.wait(1000)
    assert air.status == radio.GOT_IP
    assert air.links == [True, False, True]


def test_disconnecting_stays_disconnected() -> None:
    air = Air()
    air.join("Cozinha", "tempero123")
    air.wait(1000)
    air.radio.answer("disconnect", {})
    air.wait(10_000)
    assert air.status == radio.IDLE
    assert air.links == [True, False]


def test_a_reset_forgets_the_station() -> None:
    air = Air()
    air.join("Cozinha", "tempero123")
    air.wait(1000)
    air.radio.power_off()
    air.wait(10_000)
    described = air.radio.answer("status", {})
    assert (described["active"], described["status"], described["ip"]) == (False, radio.IDLE, radio.NOWHERE)


def test_a_scan_hears_what_is_on_the_air() -> None:
    air = Air()
    assert [one["ssid"] for one in air.radio.answer("scan", {})["networks"]] == ["Cozinha", "Aberta"]
    air.radio.set_on_air(on=False)
    assert air.radio.answer("scan", {}) == {"networks": []}


def test_the_access_point_is_a_thing_of_its_own() -> None:
    air = Air()
    assert air.radio.answer("active", {"interface": 1, "active": True})["active"] is True
    air.radio.answer("active", {"interface": 0, "active": False})
    assert air.radio.answer("status", {"interface": 1})["active"] is True


def test_without_addresses_a_station_waits_until_they_are_handed_out() -> None:
    air = Air()
    air.radio.set_dhcp(on=False)
    air.join("Cozinha", "tempero123")
    air.wait(60_000)
    described = air.radio.answer("status", {})
    assert (described["status"], described["ip"]) == (radio.CONNECTING, radio.NOWHERE)
    assert described["rssi"] == radio.RSSI_DBM, "it hears the access point that it is associated with"
    air.radio.set_dhcp(on=True)
    air.wait(1000)
    assert air.status == radio.GOT_IP
    assert air.links == [True]


def test_a_station_keeps_the_address_it_has() -> None:
    air = Air()
    air.join("Cozinha", "tempero123")
    air.wait(1000)
    air.radio.set_dhcp(on=False)
    air.wait(60_000)
    assert air.status == radio.GOT_IP
    air.join("Cozinha", "wrong")
    air.wait(2000)
    assert air.status == radio.WRONG_PASSWORD


def test_a_station_that_is_to_try_once_tries_once() -> None:
    air = Air()
    air.radio.answer("config", {"settings": {"reconnects": 0}})
    air.radio.set_on_air(on=False)
    air.join("Cozinha", "tempero123")
    air.wait(radio.SEARCH_MS)
    assert air.status == radio.NO_AP_FOUND
    air.radio.set_on_air(on=True)
    air.wait(60_000)
    assert air.status == radio.NO_AP_FOUND
    air.join("Cozinha", "tempero123")
    assert air.status == radio.NO_AP_FOUND, "it is shown until the next try has ended"
    air.wait(radio.JOIN_MS)
    assert air.status == radio.GOT_IP
    air.radio.set_on_air(on=False)
    assert (air.status, air.links[-1]) == (radio.BEACON_TIMEOUT, False)


def test_nothing_is_heard_while_it_tries() -> None:
    air = Air()
    air.join("Vizinho", "tempero123")
    assert air.radio.answer("scan", {}) == {"networks": []}
    air.radio.answer("disconnect", {})
    assert len(air.radio.answer("scan", {})["networks"]) == 2
