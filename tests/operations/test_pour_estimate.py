"""How far a job should be by its plan, at any moment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters.backend_records import JobItem, MotorSettings
from dispctl.operations.pour_estimate import estimate

MOTOR = MotorSettings(75, 500, 300, 300)
SECONDS = st.floats(0, 180)
MOMENTS = st.floats(0, 2000)


def steps(*durations_s: float) -> list[JobItem]:
    return [JobItem(n, n, f"S{n}", 1.0, seconds, "queued") for n, seconds in enumerate(durations_s, start=1)]


@pytest.mark.parametrize(
    ("since_s", "poured_s", "left_s"),
    [
        (0.0, (0.0, 0.0), 8.6),
        (0.5, (0.0, 0.0), 8.1),
        (1.5, (1.0, 0.0), 7.1),
        (5.5, (5.0, 0.0), 3.1),
        (6.3, (5.0, 0.0), 2.3),
        (7.3, (5.0, 1.0), 1.3),
        (8.6, (5.0, 2.0), 0.0),
        (900.0, (5.0, 2.0), 0.0),
    ],
)
def test_steps_come_one_after_the_other_between_the_motors_delays(
    since_s: float, poured_s: tuple[float, ...], left_s: float
) -> None:
    expected = estimate(steps(5.0, 2.0), MOTOR, since_s)
    assert expected.poured_s == pytest.approx(poured_s)
    assert expected.left_s == pytest.approx(left_s)
    assert expected.total_s == pytest.approx(8.6)


@given(st.lists(SECONDS, min_size=1, max_size=8), MOMENTS, MOMENTS)
def test_it_only_goes_on_and_ends_at_what_was_asked(
    durations_s: list[float], one_s: float, other_s: float
) -> None:
    earlier, later = (estimate(steps(*durations_s), MOTOR, since_s) for since_s in sorted((one_s, other_s)))
    assert all(before <= after for before, after in zip(earlier.poured_s, later.poured_s, strict=True))
    assert all(0 <= poured <= asked for poured, asked in zip(later.poured_s, durations_s, strict=True))
    assert earlier.left_s >= later.left_s >= 0
    if later.left_s == 0:
        assert later.poured_s == tuple(durations_s)
