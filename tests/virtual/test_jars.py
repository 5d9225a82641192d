"""What the ground truth says of openings, and who closed them."""

from __future__ import annotations

from dispctl.virtual.jars import Jars


class Clock:
    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


def test_an_opening_lasts_from_the_first_driver_to_the_last() -> None:
    clock = Clock()
    jars = Jars(clock)
    clock.ms = 1000
    jars.drive(2, "relay", is_open=True)
    clock.ms = 1500
    jars.drive(2, "servo", is_open=True)
    jars.drive(2, "relay", is_open=False)
    clock.ms = 3000
    jars.drive(2, "servo", is_open=False, cause="power")
    report = jars.report()
    assert report["now_ms"] == 3000
    assert report["jars"][1] == {
        "jar": 2,
        "open": False,
        "total_ms": 2000,
        "openings": [{"opened_ms": 1000, "closed_ms": 3000, "cause": "power"}],
    }
    assert [jar["total_ms"] for jar in report["jars"]] == [0, 2000, 0, 0]


def test_an_open_jar_counts_up_to_now() -> None:
    clock = Clock()
    jars = Jars(clock)
    jars.drive(1, "relay", is_open=True)
    clock.ms = 700
    first = jars.report()["jars"][0]
    assert (first["open"], first["total_ms"]) == (True, 700)
    assert first["openings"] == [{"opened_ms": 0, "closed_ms": None, "cause": None}]


def test_driving_it_again_to_where_it_is_changes_nothing() -> None:
    clock = Clock()
    jars = Jars(clock)
    for is_open in (False, True, True, False, False):
        clock.ms += 10
        jars.drive(4, "relay", is_open=is_open)
    assert jars.report()["jars"][3]["openings"] == [{"opened_ms": 20, "closed_ms": 40, "cause": "firmware"}]


def test_forgetting_keeps_what_is_still_open() -> None:
    jars = Jars(Clock())
    jars.drive(1, "relay", is_open=True)
    jars.drive(1, "relay", is_open=False)
    jars.drive(1, "relay", is_open=True)
    jars.forget()
    assert len(jars.report()["jars"][0]["openings"]) == 1
