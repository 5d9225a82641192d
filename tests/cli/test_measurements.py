"""The measurements' commands, a little of each: what they look at has to hold, how fast it is depends on the machine."""

import sys

import pytest

from tests.cli.measure.fuzz_logs import show, stream
from tests.cli.measure.reattach import pull_and_plug
from tests.cli.measure.throughput import line, measure


@pytest.mark.parametrize("first", range(1, 401, 100))
def test_no_stream_makes_the_monitor_fail(first: int) -> None:
    for seed in range(first, first + 100):
        show(stream(seed))


def test_a_flood_comes_through_once_and_in_order() -> None:
    command = [sys.executable, "-m", "dispctl", "monitor", "-p"]
    outcome = measure("dispctl", command, lines=1_000_000 // len(line(0)), bytes_per_s=None)
    assert (outcome.lost, outcome.repeated, outcome.misplaced) == (0, 0, 0)


def test_no_line_is_lost_after_a_cable_is_back() -> None:
    _, lost = pull_and_plug(3)
    assert lost == 0
