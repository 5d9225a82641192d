"""Which pin moves which jar, and what opens it."""

from __future__ import annotations

import pytest

from dispctl.virtual.relays import OUTPUT_PINS, Relays


def test_each_pin_has_its_jar() -> None:
    relays = Relays((4, 16, 17, 5))
    assert [relays.jar(pin) for pin in (4, 16, 17, 5)] == [1, 2, 3, 4]
    assert relays.jar(26) is None


@pytest.mark.parametrize("active_low", [False, True])
def test_the_active_level_opens(active_low: bool) -> None:
    relays = Relays(active_low=active_low)
    assert relays.opens(1) is not active_low
    assert relays.opens(0) is active_low
    assert not relays.opens(relays.idle_level(26))


def test_other_pins_idle_low() -> None:
    assert Relays(active_low=True).idle_level(4) == 0


def test_what_can_drive_a_relay_on_an_esp32() -> None:
    assert {26, 27, 32, 33} <= OUTPUT_PINS
    assert not {6, 11, 20, 24, 28, 31, 34, 39} & OUTPUT_PINS
