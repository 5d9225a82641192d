"""Board time against host time."""

from __future__ import annotations

from dispctl.virtual.clock import BoardClock


def test_it_begins_at_0_and_runs_at_its_speed() -> None:
    host_s = [100.0]
    clock = BoardClock(20.0, lambda: host_s[0])
    assert clock.now_us() == 0
    host_s[0] += 0.25
    assert clock.now_us() == 5_000_000
    assert clock.now_ms() == 5000
    assert clock.host_seconds(5000) == 0.25
