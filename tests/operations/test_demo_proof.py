"""The demo's proof agrees only when every witness says the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispctl.adapters.backend_records import Jar, Job, JobItem
from dispctl.operations.demo_proof import Asked, Outcome, prove

ASKED = Asked(jars=2, grams=10, rate_g_per_s=2, stock_g_after=90, cut_jar=2)


def opening(cause: str) -> dict[str, Any]:
    return {"opened_ms": 0, "closed_ms": 1, "cause": cause}


def doses(*total_ms: float, is_open: bool = False) -> dict[str, Any]:
    causes = [["firmware"], ["power", "firmware"]]
    return {
        "jars": [
            {
                "jar": jar,
                "open": is_open,
                "total_ms": ms,
                "openings": [opening(cause) for cause in causes[jar - 1]],
            }
            for jar, ms in enumerate(total_ms, start=1)
        ]
    }


def item(position: int, status: str = "done") -> JobItem:
    return JobItem(position, jar=position, spice="Sal", grams=10, duration_s=5, status=status)


GOOD = Outcome(
    job=Job(id=1, status="done", recipe_id=1, people=1, items=(item(1), item(2))),
    jars=[Jar(1, "Sal", 2, 90), Jar(2, "Pimenta", 2, 90)],
    doses=doses(5000, 5400),
    saved_job_id=None,
)


def differing(outcome: Outcome) -> list[str]:
    return [line.what for line in prove(outcome, ASKED) if not line.agrees]


def test_a_good_end_agrees_in_every_line() -> None:
    assert differing(GOOD) == []


@pytest.mark.parametrize(
    ("outcome", "what"),
    [
        (replace(GOOD, job=replace(GOOD.job, status="done_partial")), "job's status"),
        (replace(GOOD, job=replace(GOOD.job, items=(item(1), item(2, "failed")))), "items reported done"),
        (replace(GOOD, jars=[Jar(1, "Sal", 2, 80), Jar(2, "Pimenta", 2, 90)]), "stock in jar 1 (Sal)"),
        (replace(GOOD, jars=[Jar(1, "Sal", 2, 90), Jar(2, "Pimenta", 2, None)]), "stock in jar 2 (Pimenta)"),
        (replace(GOOD, doses=doses(5000, 6400)), "really poured from jar 2"),
        (replace(GOOD, doses=doses(5600, 5000)), "really poured from jar 1"),
        (replace(GOOD, doses=doses(4000, 5000)), "really poured from jar 1"),
        (replace(GOOD, saved_job_id=1), "job on the board's flash"),
    ],
)
def test_each_number_can_differ(outcome: Outcome, what: str) -> None:
    assert differing(outcome) == [what]


def test_a_jar_still_open_does_not_agree() -> None:
    open_jars = differing(replace(GOOD, doses=doses(5000, 5000, is_open=True)))
    assert open_jars == ["really poured from jar 1", "really poured from jar 2"]


def test_a_power_cut_that_missed_the_jar_is_told() -> None:
    missed = doses(5000, 5000)
    missed["jars"][1]["openings"] = [opening("firmware")]
    assert differing(replace(GOOD, doses=missed)) == ["what closed jar 2"]
