"""A jar is calibrated by what the board measured and the scales say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters.backend_records import Jar, JobItem
from dispctl.adapters.control import open_control
from dispctl.errors import BoardRefusedError, UsageError
from dispctl.operations import calibrate
from dispctl.operations.hand_over import EndedOnBoard, local_job
from tests.fake_board import FakeBoard, running


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.49, 180.1, float("nan")])
def test_times_that_cannot_be(seconds: float) -> None:
    with running(FakeBoard()) as board, open_control(board.port) as control:
        with pytest.raises(UsageError, match="A calibration pours for"):
            list(calibrate.pour(control, Jar(1, "Sal", None, None), seconds))
        assert board.ops == []


def test_a_jar_that_did_not_pour_sets_nothing() -> None:
    failed = local_job([JobItem(1, 2, "Sal", 0.0, 5.0, "failed", "falha do atuador")])
    with pytest.raises(BoardRefusedError, match="Jar 2 did not pour its time: falha do atuador"):
        calibrate._measured(EndedOnBoard(failed, reported=False, poured_ms=(120,)))


@given(grams=st.floats(0.1, 500), poured_ms=st.integers(500, 180_000))
def test_a_rate_pours_in_that_time_what_was_weighed(grams: float, poured_ms: int) -> None:
    rate = calibrate.rate_g_per_s(grams, poured_ms)
    assert abs(rate * poured_ms / 1000 - grams) <= 0.0005 * poured_ms / 1000 + 1e-9


@pytest.mark.parametrize("grams", [0.0, -1.0, float("nan"), float("inf")])
def test_weights_that_cannot_be(grams: float) -> None:
    with pytest.raises(UsageError, match="cannot have fallen"):
        calibrate.rate_g_per_s(grams, 5000)
