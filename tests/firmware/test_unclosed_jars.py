"""What could leave a jar open, on whole virtual boards: a servo bus that fails, relays that open at the other level."""

from __future__ import annotations

import asyncio
import errno
import json
from typing import TYPE_CHECKING

import pytest

from dispctl.operations.firmware_package import MAIN, MAIN_PATH, bytecode_package
from dispctl.virtual.board import Board, Wiring
from dispctl.virtual.clock import BoardClock
from dispctl.virtual.flash import NorFlash
from dispctl.virtual.relays import Relays
from tests.firmware.kitchen import STARTED, Kitchen, SmallBackend, job, kitchen, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from dispctl.virtual.servo_driver import ServoDriver

pytestmark = pytest.mark.micropython

SPEED = 4.0
ACTIVE_LOW = b'{"actuator": {"active_high": false}}'


async def bus_fails_while_pouring(folder: Path, until: str) -> list[str]:
    """Let it fail from the middle of item 1 to the line `until`; the items' results. Fails if a jar stays open."""
    async with kitchen(folder, speed=SPEED, actuator={"kind": "servo"}, resume_offline=True) as at:
        hardware = at.board.hardware
        device = hardware._device

        def fail(address: int) -> ServoDriver:
            raise OSError(errno.ENODEV, f"{address:#x} does not answer")

        at.backend.queue.append(job(1, [1.0, 0.5]))
        await at.pouring()
        hardware._device = fail  # type: ignore[method-assign]
        await at.line(until, after=len(at.lines))
        assert at.any_open
        hardware._device = device  # type: ignore[method-assign]
        await at.wait_for(lambda: 1 in at.backend.reports, "report")
        assert not at.any_open
        assert len(at.openings(1)) == 1
        return [entry["status"] for entry in at.backend.reports[1]["execution_logs"]]


@pytest.mark.parametrize("until", ["[EXEC] ✗ O atuador não responde", "[EXEC] ✗ Frascos sem fechar", "rst:"])
def test_a_servo_that_did_not_close_is_closed_when_its_bus_is_back(tmp_path: Path, until: str) -> None:
    assert asyncio.run(bus_fails_while_pouring(tmp_path, until)) == ["failed", "done"]


async def open_at_boot(folder: Path, settings: bytes | None) -> tuple[bool, str]:
    """Whether a jar was ever open on a board with active-low relays, and what the board said of its start."""
    flash = NorFlash(folder / "flash")
    files = {**bytecode_package().files, MAIN_PATH: MAIN}
    write_files(flash, files if settings is None else {**files, "/settings.json": settings})
    at = Kitchen(Board(Wiring(flash, BoardClock(SPEED), relays=Relays(active_low=True))), SmallBackend())
    at.board.power_on()
    try:
        await at.line(STARTED)
        await at.ask("status")
        said = "\n".join(line.text for line in at.lines if "[SETUP]" in line.text)
        return any(at.openings(jar) for jar in range(1, 5)), said
    finally:
        at.board.power_off()
        flash.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ACTIVE_LOW, ""),
        (None, "Nenhum atuador gravado"),
        (ACTIVE_LOW[:20], "grave o atuador (actuator) de novo"),
        (b'{"ssid": "Cozinha"}', "Nenhum atuador gravado"),
        (
            json.dumps({"actuator": {"active_high": False, "pins": [26, 27, 32, 34]}}).encode(),
            "grave o atuador",
        ),
    ],
)
def test_no_relay_opens_at_boot_whatever_became_of_the_settings(
    tmp_path: Path, settings: bytes | None, words: str
) -> None:
    opened, said = asyncio.run(open_at_boot(tmp_path, settings))
    assert not opened
    assert words in said
