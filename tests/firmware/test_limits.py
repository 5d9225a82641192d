"""Small heaps, long runs and noise: bounded parts of what `tests/firmware/measure` does in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.firmware.measure import fuzz, memory
from tests.firmware.measure.interpreter import ROOT, compiled

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.micropython

SLACK_BYTES = 512


@pytest.mark.parametrize("form", ["source", "bytecode"])
def test_the_largest_job_in_a_heap_of_100_kb(tmp_path: Path, form: str) -> None:
    told = memory.largest_job(compiled(tmp_path) if form == "bytecode" else ROOT)
    assert told["payload"] == 4096
    assert told["items"] > 30
    assert told["heap"] - told["stand_ins"] <= memory.BOARD_HEAP_BYTES * memory.WORD_RATIO


def test_a_hundred_jobs_leave_nothing_behind() -> None:
    told = memory.many_jobs(100)
    assert told["after"] - told["settled"] <= SLACK_BYTES


def test_noise_leaves_the_firmware_running() -> None:
    fuzz.run(byte_count=20_000, lines=2_000, answers=1_000, seed=3)
