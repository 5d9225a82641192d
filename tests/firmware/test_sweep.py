"""A bounded part of `python -m tests.firmware.sweep`, and that it can fail."""

from __future__ import annotations

import pytest

from tests.firmware import sweep

pytestmark = pytest.mark.micropython

SEEDS = 60


def test_cuts_at_flash_operations_and_moments() -> None:
    outcome = sweep.cuts(step=3)
    assert outcome.failures == []
    assert outcome.histories > 80


def test_random_histories() -> None:
    outcome = sweep.histories(1, SEEDS)
    assert outcome.failures == []
    assert outcome.histories == SEEDS
    assert outcome.cuts + outcome.resets > SEEDS


@pytest.mark.parametrize("breakage", sweep.BREAKAGES)
def test_a_broken_firmware_is_caught(breakage: str) -> None:
    assert sweep.caught_by(breakage)
