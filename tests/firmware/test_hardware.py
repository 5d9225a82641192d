"""The chip's part over stand-ins for `machine`: outputs that survive bad settings and a driver that lost its supply."""

from __future__ import annotations

import importlib
import io
import json
import sys
import time
from types import ModuleType
from typing import Any

import pytest

from dispctl.firmware.settings import Settings, SettingsError, checked_actuator, default_actuator
from dispctl.virtual.servo_driver import ServoDriver
from tests.on_micropython.board.fakes import FakeClock, FakeStorage, Mains


class Pulses(dict[int, int]):
    """The channels' pulses in µs, and the chip behind them on the bus."""

    def __init__(self) -> None:
        super().__init__()
        self.chip = ServoDriver(self.__setitem__)

    def writeto_mem(self, _address: int, register: int, data: bytes) -> None:
        self.chip.write(bytes((register,)) + data)

    def readfrom_mem(self, _address: int, register: int, count: int) -> bytes:
        self.chip.write(bytes((register,)))
        return self.chip.read(count)


class Pin:
    """A GPIO; the chip refuses number 33 here, as it does one that another peripheral holds."""

    OUT = 1

    def __init__(self, number: int, _mode: int = 0, value: int = 0) -> None:
        if number == 33:
            raise ValueError("invalid pin")
        self.level = value

    def value(self, level: int) -> None:
        self.level = level


@pytest.fixture
def pulses() -> Pulses:
    return Pulses()


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch, pulses: Pulses) -> Any:
    machine: Any = ModuleType("machine")
    machine.Pin = Pin
    machine.I2C = lambda *_, **__: pulses
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "micropython", ModuleType("micropython"))
    monkeypatch.delitem(sys.modules, "dispctl.firmware.hardware", raising=False)
    monkeypatch.setattr(time, "sleep_us", lambda _: None, raising=False)
    return importlib.import_module("dispctl.firmware.hardware")


def saved(monkeypatch: pytest.MonkeyPatch, hardware: Any, actuator: object) -> None:
    """Let `/settings.json` hold this actuator."""
    text = json.dumps({"actuator": actuator})
    monkeypatch.setattr(hardware, "open", lambda _: io.StringIO(text), raising=False)


@pytest.mark.parametrize(
    "changes",
    [
        *({"pins": [26, 27, 32, number]} for number in (1, 3, 6, 11, 20, 24, 28, 31, 34, 39, 40, -1, True)),
        {"pins": [26, 27, 32, 26]},
        {"motor_pin": 26},
        {"motor_pin": 35},
        {"kind": "servo", "sda": 22},
        {"kind": "servo", "scl": 36},
        {"kind": "servo", "motor_pin": 21},
        {"channels": [0, 1, 2, 2]},
    ],
)
def test_wiring_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="actuator"):
        checked_actuator(changes, default_actuator())


def test_wiring_that_can_be_is_taken() -> None:
    changes = {"pins": [4, 16, 17, 23], "motor_pin": 25}
    assert checked_actuator(changes, default_actuator())["pins"] == [4, 16, 17, 23]


@pytest.mark.parametrize("actuator", [{"pins": [26, 27, 32, 34]}, {"pins": [26, 27, 32, 33]}, None, 5])
def test_bad_saved_wiring_opens_nothing_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, hardware: Any, actuator: object
) -> None:
    saved(monkeypatch, hardware, actuator)
    outputs = hardware.close_outputs()
    outputs.close_all()
    with pytest.raises(OSError, match="19"):
        outputs.open(1)


def test_bad_saved_wiring_is_found() -> None:
    storage = FakeStorage(FakeClock(), Mains())
    storage.files["settings.json"] = b'{"actuator": {"pins": [34, 35, 36, 39]}, "ssid": "Cozinha"}'
    settings = Settings(storage)
    assert settings.finding == "settings.json: actuator inv\u00e1lido"
    assert settings["ssid"] == "Cozinha"


def test_a_servo_driver_that_lost_its_supply_is_prepared_again(
    monkeypatch: pytest.MonkeyPatch, hardware: Any, pulses: Pulses
) -> None:
    saved(monkeypatch, hardware, {"kind": "servo"})
    outputs = hardware.close_outputs()
    outputs.open(1)
    assert pulses[0] == pytest.approx(2000, abs=10)
    outputs.close_jars()
    pulses.chip.power_on()
    assert pulses[0] == 0
    outputs.open(1)
    assert pulses[0] == pytest.approx(2000, abs=10)
    pulses.chip.power_on()
    outputs.close_jars()
    assert [pulses[channel] for channel in range(4)] == pytest.approx([1000] * 4, abs=10)
