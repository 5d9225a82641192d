"""The firmware on whole virtual boards, in real time: bounded parts of what `tests/firmware/measure` measures."""

from __future__ import annotations

import asyncio

import pytest

from tests.firmware.measure import dose, outputs
from tests.firmware.measure.figures import quantile

pytestmark = pytest.mark.micropython


HOST_SLACK_MS = 500  # other tests run on the same machine


def test_no_jar_stays_open_after_what_should_close_it() -> None:
    """Without mpremote, whose start may take longer than the two seconds in which Ctrl-C counts twice."""
    cases = tuple(case for case in outputs.CASES if case.name != outputs.MPREMOTE)
    times_ms = asyncio.run(outputs.measure(cases, at_once=2))
    late = [case.name for case in cases if times_ms[case.name] > case.limit_ms + HOST_SLACK_MS]
    assert late == [], times_ms


def test_doses_are_right() -> None:
    measured = asyncio.run(dose.measure(pours=6, boards=3, seed=2))
    assert len(measured.errors_ms) + len(measured.answers_ms) + measured.left_out > 6
    if measured.errors_ms:  # else the machine was never on time
        assert quantile([abs(error) for error in measured.errors_ms], 0.99) <= dose.GOAL_P99_MS
