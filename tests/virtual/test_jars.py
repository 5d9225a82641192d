"""What the ground truth says of openings, and who closed them."""

from __future__ import annotations

from dispctl.virtual.jars import Jars, Stuck


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
        "stuck": None,
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


def test_a_stuck_actuator_stays_where_it_is_whatever_drives_it() -> None:
    clock = Clock()
    jars = Jars(clock)
    jars.stick(1, Stuck.CLOSED)
    jars.drive(1, "relay", is_open=True)
    assert jars.report()["jars"][0] == {
        "jar": 1,
        "open": False,
        "stuck": "closed",
        "total_ms": 0,
        "openings": [],
    }
    clock.ms = 1000
    jars.stick(1, None)
    clock.ms = 3000
    jars.stick(1, Stuck.OPEN)
    jars.drive(1, "relay", is_open=False, cause="power")
    assert jars.report()["jars"][0]["open"]
    clock.ms = 9000
    jars.stick(1, None)
    assert jars.report()["jars"][0]["openings"] == [
        {"opened_ms": 1000, "closed_ms": 9000, "cause": "actuator"}
    ]


def test_an_actuator_that_gets_stuck_moves_by_itself() -> None:
    clock = Clock()
    jars = Jars(clock)
    jars.drive(2, "servo", is_open=True)
    clock.ms = 500
    jars.stick(2, Stuck.CLOSED)
    clock.ms = 700
    jars.stick(3, Stuck.OPEN)
    assert jars.report()["jars"][1]["openings"] == [{"opened_ms": 0, "closed_ms": 500, "cause": "actuator"}]
    assert jars.report()["jars"][2]["openings"] == [{"opened_ms": 700, "closed_ms": None, "cause": None}]
