"""The radio over a stand-in for MicroPython's driver: one try at a time, its reasons, and what the driver raises."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

RSSI_DBM = -60


class Station:
    """MicroPython's `WLAN`: shows `number` as its status, is `associated`, raises `failure`."""

    def __init__(self) -> None:
        self.number = 1000
        self.associated = False
        self.failure: Exception | None = None
        self.calls: list[Any] = []

    def active(self, on: bool) -> None:
        self.calls.append(("active", on))

    def config(self, **settings: int) -> None:
        self.calls.append(settings)
        self._may_fail()

    def connect(self, ssid: str, password: str) -> None:
        self.calls.append((ssid, password))

    def disconnect(self) -> None:
        self._may_fail()

    def status(self, what: str | None = None) -> int:
        if what is None:
            return self.number
        self._may_fail()
        return RSSI_DBM if self.associated else 0

    def _may_fail(self) -> None:
        if self.failure:
            raise self.failure


@pytest.fixture
def station() -> Station:
    return Station()


@pytest.fixture
def hardware(station: Station, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The hardware module, over stand-ins for the chip's modules."""
    network: Any = ModuleType("network")
    network.STA_IF, network.WLAN = 0, lambda _: station
    for name, module in (
        ("network", network),
        ("machine", ModuleType("machine")),
        ("micropython", ModuleType("micropython")),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "dispctl.firmware.hardware", raising=False)
    yield importlib.import_module("dispctl.firmware.hardware")
    sys.modules.pop("dispctl.firmware.hardware", None)


def test_the_driver_is_told_to_try_once(hardware: Any, station: Station) -> None:
    hardware.Radio()
    assert station.calls == [("active", True), {"reconnects": 0}]


@pytest.mark.parametrize(
    "failure", [ValueError("unknown config param"), OSError(1), RuntimeError("Wifi Unknown Error")]
)
def test_what_the_driver_raises_stops_no_start_and_no_try(
    hardware: Any, station: Station, failure: Exception
) -> None:
    station.failure = failure
    radio = hardware.Radio()
    station.failure = None if isinstance(failure, ValueError) else failure
    radio.connect("Cozinha", "tempero123")
    assert station.calls[-1] == ("Cozinha", "tempero123")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1000, None),
        (1001, None),
        (1010, None),
        (8, None),
        (201, "no_such_network"),
        (200, "no_such_network"),
        (212, "no_such_network"),
        (202, "wrong_password"),
        (204, "wrong_password"),
        (15, "wrong_password"),
        (2, "failed"),
        (203, "failed"),
        (205, "failed"),
        (210, "failed"),
        (211, "failed"),
    ],
)
def test_every_end_of_a_try_has_a_reason(
    hardware: Any, station: Station, number: int, reason: str | None
) -> None:
    station.number = number
    assert hardware.Radio().reason() == reason


def test_associated_and_still_connecting_is_a_missing_address(hardware: Any, station: Station) -> None:
    station.number, station.associated = 1001, True
    assert hardware.Radio().reason() == "no_dhcp"


@pytest.mark.parametrize("failure", [OSError(1), RuntimeError("Wifi Not Started"), ValueError("x")])
def test_no_signal_is_none(hardware: Any, station: Station, failure: Exception) -> None:
    radio = hardware.Radio()
    station.failure = failure
    assert radio.rssi() is None
