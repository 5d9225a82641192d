"""Relays as the program drives them and the ground truth sees them: both kinds, any pins, and what resets do to each."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003 - pytest's fixture

import pytest

from dispctl.virtual.board import Cause
from dispctl.virtual.jars import Stuck
from dispctl.virtual.relays import Relays
from tests.virtual.bench import bench

pytestmark = pytest.mark.micropython


def test_an_active_low_relay_opens_at_a_low_level_only_while_it_is_driven(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", relays=Relays(active_low=True)) as made:
            states = []
            for step in ("pin = machine.Pin(26, machine.Pin.OUT, value=1)", "pin(0)", "pin(1)", "pin(0)"):
                await made.run(f"import machine; {step}")
                states.append(made.jar(1)["open"])
            assert states == [False, True, False, True]
            assert await made.run("machine.Pin(26, machine.Pin.IN); print(pin())") == "1\r\n"
            assert [opening["cause"] for opening in made.jar(1)["openings"]] == ["firmware", "firmware"]

    asyncio.run(scenario())


def test_a_pin_made_an_output_without_a_level_opens_an_active_low_jar(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", relays=Relays(active_low=True)) as made:
            await made.run("import machine; machine.Pin(33, machine.Pin.OUT)")
            assert made.jar(4)["open"]
            made.board.reset(Cause.EN)
            assert made.jar(4)["openings"][0]["cause"] == "reset"

    asyncio.run(scenario())


def test_pins_are_those_of_the_wiring(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", relays=Relays((4, 16, 17, 5))) as made:
            await made.run("import machine; [machine.Pin(n, machine.Pin.OUT).on() for n in (16, 26)]")
            assert [made.jar(number)["open"] for number in (1, 2, 3, 4)] == [False, True, False, False]

    asyncio.run(scenario())


def test_a_stuck_jar_deceives_the_program_and_not_the_truth(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash") as made:
            jars = made.board.hardware.jars
            jars.stick(1, Stuck.OPEN)
            jars.stick(2, Stuck.CLOSED)
            program = "pins = [machine.Pin(n, machine.Pin.OUT) for n in (26, 27)]; pins[1].on()"
            assert await made.run(f"import machine; {program}; print(pins[0](), pins[1]())") == "0 1\r\n"
            made.board.power_off()
            assert made.jar(1)["open"]
            assert made.jar(2)["openings"] == []

    asyncio.run(scenario())
