"""What a board reports of a finished job, and what follows from it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.backend.report import Report, ReportEntry

entries = st.builds(
    ReportEntry,
    jar=st.integers(1, 4),
    spice=st.text(max_size=60),
    quantity_ug=st.integers(0, 10**12),
    seconds=st.floats(0, 1e6),
    status=st.sampled_from(("done", "failed")),
    error=st.none() | st.text(),
    order=st.none() | st.integers(-5, 10),
)
reports = st.builds(Report, st.integers(0, 50), st.integers(0, 50), st.lists(entries, max_size=8).map(tuple))


def entry(jar: int, status: str = "done", order: int | None = None, error: str | None = None) -> ReportEntry:
    return ReportEntry(jar, f"spice {jar}", 1_000_000, 0.5, status, error, order)


@given(reports)
def test_a_report_that_went_over_the_wire_has_the_same_fingerprint(report: Report) -> None:
    wire = json.loads(json.dumps([one.as_wire() for one in report.entries]))
    again = Report(report.completed, report.failed, tuple(ReportEntry.from_wire(one) for one in wire))

    assert again.fingerprint() == report.fingerprint()


@given(reports, reports)
def test_reports_that_differ_in_stock_or_counts_have_different_fingerprints(
    one: Report, other: Report
) -> None:
    said = [(report.completed, report.failed, report.taken_ug()) for report in (one, other)]

    if said[0] != said[1]:
        assert one.fingerprint() != other.fingerprint()


@given(reports)
def test_stock_is_the_done_entries_sum(report: Report) -> None:
    taken = report.taken_ug()

    assert sum(taken.values()) == sum(one.quantity_ug for one in report.entries if one.done)
    assert all(mass_ug > 0 for mass_ug in taken.values())


@pytest.mark.parametrize(
    ("completed", "failed", "log", "status"),
    [
        (4, 0, [entry(jar) for jar in (1, 2, 3, 4)], "done"),
        (4, 0, [], "done"),
        (3, 1, [], "done_partial"),
        (3, 0, [], "done_partial"),
        (4, 0, [entry(1, "failed")], "done_partial"),
        (0, 4, [], "failed"),
        (0, 0, [], "failed"),
    ],
)
def test_the_jobs_status(completed: int, failed: int, log: list[ReportEntry], status: str) -> None:
    assert Report(completed, failed, tuple(log)).job_status(items=4) == status


@given(reports, st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_no_entry_belongs_to_two_items(report: Report, jars: list[int]) -> None:
    of_items = report.entries_of_items(jars)

    assert len(of_items) == len(jars)
    found = [id(one) for one in of_items if one is not None]
    assert len(set(found)) == len(found)


def test_entries_belong_to_the_item_they_name_or_the_first_of_their_jar() -> None:
    second_pour = entry(1, "failed", order=3)
    log = (second_pour, entry(2), entry(1))

    assert Report(2, 1, log).entries_of_items([1, 2, 1, 4]) == [log[2], log[1], second_pour, None]


def test_problems_name_spice_jar_and_reason() -> None:
    log = (entry(1), entry(2, "failed", error="stuck"), entry(3, "failed"))

    assert Report(1, 2, log).problems() == "spice 2 (jar 2): stuck; spice 3 (jar 3): failed"
    assert Report(1, 0, log[:1]).problems() is None
