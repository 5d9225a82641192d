"""Outputs over stand-ins for `machine`: settings that cannot be read, a bus that fails, a driver that lost its supply."""

from __future__ import annotations

import errno
import importlib
import io
import json
import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from dispctl.firmware.settings import Settings, SettingsError, checked_actuator, default_actuator
from dispctl.virtual.servo_driver import ServoDriver
from tests.on_micropython.board.fakes import FakeClock, FakeStorage, Mains


class Pulses(dict[int, int]):
    """The channels' pulses in µs, and the chip behind them on the bus."""

    def __init__(self) -> None:
        super().__init__()
        self.chip = ServoDriver(self.__setitem__)
        self.deaf: dict[int, int] = {}
        self.asked: list[int] = []

    def writeto_mem(self, _address: int, register: int, data: bytes) -> None:
        self._reach(register)
        self.chip.write(bytes((register,)) + data)

    def readfrom_mem(self, _address: int, register: int, count: int) -> bytes:
        self._reach(register)
        self.chip.write(bytes((register,)))
        return self.chip.read(count)

    def _reach(self, register: int) -> None:
        """A register in `deaf` fails with the number that stands there."""
        self.asked.append(register)
        if register in self.deaf:
            raise OSError(self.deaf[register], "bus")


class Pin:
    """A GPIO; the chip refuses number 33 here, as it does one that another peripheral holds."""

    IN, OUT, OPEN_DRAIN = 0, 1, 2
    driven: ClassVar[dict[int, int]] = {}
    refused = 33

    def __init__(self, number: int, mode: int = 0, value: int = 0) -> None:
        if number == Pin.refused:
            raise ValueError("invalid pin")
        self._number = number
        if mode:
            self.value(value)

    def init(self, mode: int) -> None:
        assert mode == Pin.IN
        self.driven.pop(self._number, None)

    def value(self, level: int) -> None:
        self.driven[self._number] = level


@pytest.fixture
def pulses() -> Pulses:
    return Pulses()


@pytest.fixture
def actuators(monkeypatch: pytest.MonkeyPatch, pulses: Pulses) -> Any:
    machine: Any = ModuleType("machine")
    machine.Pin = Pin
    Pin.driven.clear()
    machine.I2C = lambda *_, **__: pulses
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "micropython", ModuleType("micropython"))
    monkeypatch.delitem(sys.modules, "dispctl.firmware.actuators", raising=False)
    monkeypatch.setattr(time, "sleep_us", lambda _: None, raising=False)
    return importlib.import_module("dispctl.firmware.actuators")


def saved(monkeypatch: pytest.MonkeyPatch, actuators: Any, actuator: object) -> None:
    """Let `/settings.json` hold this actuator."""
    saved_text(monkeypatch, actuators, json.dumps({"actuator": actuator}))


def saved_text(monkeypatch: pytest.MonkeyPatch, actuators: Any, text: str) -> None:
    """Let `/settings.json` hold this."""
    monkeypatch.setattr(actuators, "open", lambda _: io.StringIO(text), raising=False)


@pytest.mark.parametrize(
    "changes",
    [
        *(
            {"pins": [26, 27, 32, number]}
            for number in (0, 1, 3, 6, 12, 11, 20, 24, 28, 31, 34, 39, 40, -1, True)
        ),
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
    monkeypatch: pytest.MonkeyPatch, actuators: Any, actuator: object
) -> None:
    saved(monkeypatch, actuators, actuator)
    outputs = actuators.close_outputs()
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
    monkeypatch: pytest.MonkeyPatch, actuators: Any, pulses: Pulses
) -> None:
    saved(monkeypatch, actuators, {"kind": "servo"})
    outputs = actuators.close_outputs()
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


def write_pulse(pulses: Pulses, channel: int, width_us: int) -> None:
    steps = width_us * 4096 // 20_000
    pulses.writeto_mem(0x40, 6 + 4 * channel, bytes((0, 0, steps & 0xFF, steps >> 8)))


ACTIVE_LOW = json.dumps({"actuator": {"active_high": False, "pins": [26, 27, 32, 25]}})


@pytest.mark.parametrize(
    "text", [ACTIVE_LOW[:20], "[]", '"x"', "[" * 3000, '{"actuator": {"pins": [34, 1, 2, 3]}}']
)
def test_settings_that_cannot_be_read_drive_no_pin(
    monkeypatch: pytest.MonkeyPatch, actuators: Any, text: str
) -> None:
    saved_text(monkeypatch, actuators, text)
    assert not actuators.close_outputs().absent
    assert Pin.driven == {}


def test_a_board_without_settings_drives_no_pin_until_an_actuator_is_saved(actuators: Any) -> None:
    outputs = actuators.close_outputs()
    assert (outputs.absent, Pin.driven) == (True, {})
    actuators.make_outputs({**default_actuator(), "active_high": False, "pins": [26, 27, 32, 25]})
    assert Pin.driven == {26: 1, 27: 1, 32: 1, 25: 1}


def test_settings_without_an_actuator_drive_no_pin(monkeypatch: pytest.MonkeyPatch, actuators: Any) -> None:
    saved_text(monkeypatch, actuators, '{"ssid": "Cozinha"}')
    assert actuators.close_outputs().absent
    assert Pin.driven == {}


def test_servos_are_closed_though_their_settings_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, actuators: Any, pulses: Pulses
) -> None:
    """Here 2000 µs is closed, which no readable setting says any more: three channels of four do."""
    saved(monkeypatch, actuators, {"kind": "servo", "closed_us": 2000, "open_us": 1000})
    actuators.close_outputs().open(2)
    assert [pulses[channel] for channel in range(4)] == pytest.approx([2000, 1000, 2000, 2000], abs=10)
    saved_text(monkeypatch, actuators, '{"actuator": {"kind": "ser')
    actuators.close_outputs()
    assert [pulses[channel] for channel in range(4)] == pytest.approx([2000] * 4, abs=10)
    assert pulses.get(5, 0) == 0
    assert {21, 22}.isdisjoint(Pin.driven)


def test_a_driver_that_another_program_set_up_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, actuators: Any, pulses: Pulses
) -> None:
    pulses.writeto_mem(0x40, 0, b"\x20")
    for channel, width_us in enumerate((1000, 2000, 1000)):
        write_pulse(pulses, channel, width_us)
    before = dict(pulses)
    saved_text(monkeypatch, actuators, "{")
    actuators.close_outputs()
    assert dict(pulses) == before


@pytest.mark.parametrize("deaf", [0x00, 0xFE, 0x06, 0x0E])
def test_every_jar_is_tried_whichever_write_fails(
    monkeypatch: pytest.MonkeyPatch, actuators: Any, pulses: Pulses, deaf: int
) -> None:
    saved(monkeypatch, actuators, {"kind": "servo"})
    outputs = actuators.close_outputs()
    outputs.open(4)
    pulses.deaf = {deaf: errno.ENODEV}
    with pytest.raises(OSError, match=str(errno.ENODEV)):
        outputs.close_jars()
    assert pulses[3] == pytest.approx(1000, abs=10)
    assert outputs.may_be_open
    pulses.deaf = {}
    outputs.renew()
    outputs.close_jars()
    assert not outputs.may_be_open


def test_a_stuck_bus_is_waited_for_once_an_attempt(
    monkeypatch: pytest.MonkeyPatch, actuators: Any, pulses: Pulses
) -> None:
    saved(monkeypatch, actuators, {"kind": "servo"})
    outputs = actuators.close_outputs()
    outputs.open(1)
    pulses.deaf = dict.fromkeys(range(256), errno.ETIMEDOUT)
    pulses.asked.clear()
    with pytest.raises(OSError, match=str(errno.ETIMEDOUT)):
        outputs.close_all()
    assert len(pulses.asked) == 1


def test_a_new_bus_is_clocked_free_and_stopped(
    monkeypatch: pytest.MonkeyPatch, actuators: Any, pulses: Pulses
) -> None:
    saved(monkeypatch, actuators, {"kind": "servo"})
    outputs = actuators.close_outputs()
    levels: list[tuple[int, int]] = []
    monkeypatch.setattr(Pin, "value", lambda pin, level: levels.append((pin._number, level)))
    outputs.renew()
    assert levels == [(21, 1), (22, 1), *[(22, 0), (22, 1)] * 9, (21, 0), (21, 1)]


def test_the_motor_waits_for_the_jars_and_stops_though_they_do_not_close(
    monkeypatch: pytest.MonkeyPatch, actuators: Any, pulses: Pulses
) -> None:
    seen: list[tuple[int, float]] = []
    pwm = SimpleNamespace(duty_u16=lambda duty: seen.append((duty, pulses[0])))
    monkeypatch.setattr(actuators.machine, "PWM", lambda *_, **__: pwm, raising=False)
    saved(monkeypatch, actuators, {"kind": "servo", "motor_pin": 25})
    outputs = actuators.close_outputs()
    outputs.vibrate(100)
    outputs.open(1)
    outputs.close_all()
    assert [duty for duty, _ in seen] == [65535, 0]
    assert [pulse_us for _, pulse_us in seen] == pytest.approx([1000, 1000], abs=10)
    pulses.deaf = {0x06: errno.ENODEV}
    outputs.vibrate(100)
    with pytest.raises(OSError, match=str(errno.ENODEV)):
        outputs.close_all()
    assert seen[-1][0] == 0
