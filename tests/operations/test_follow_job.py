"""Following a job: what changes is told, outages are waited out, the end is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from dispctl.adapters.backend_records import Job, JobItem
from dispctl.errors import BackendRefusedError, BackendUnreachableError, DeadlineError, JobEndedBadlyError
from dispctl.operations import follow_job as follow
from tests.operations.kitchen import answering


@dataclass
class Time:
    """Time that passes only in pauses."""

    now_s: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> follow.Clock:
        return follow.Clock(now=lambda: self.now_s, pause=self._pause)

    def _pause(self, seconds: float) -> None:
        self.now_s += seconds


def wire(status: str, *items: str, error: str | None = None) -> dict[str, Any]:
    rows = [
        {"ordem": n, "frasco": n, "tempero": f"S{n}", "quantidade_g": 1.0, "segundos": 1.0, "status": each}
        for n, each in enumerate(items, start=1)
    ]
    return {
        "id": 7,
        "status": status,
        "receita_id": 1,
        "pessoas_solicitadas": 1,
        "erro_msg": error,
        "itens": rows,
    }


def followed(
    *answers: dict[str, Any] | Exception | int, timeout_s: float | None = None
) -> list[follow.FollowEvent]:
    """What happens to a queued job of two steps when the backend gives these answers, the last one for ever."""
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given) if isinstance(given, int) else httpx.Response(200, json=given)

    queued = Job.from_wire(wire("queued", "queued", "queued"))
    events = follow.follow_job(answering(answer), queued, timeout_s=timeout_s, clock=Time().clock())
    return [event for event in events if not isinstance(event, follow.Waited)]


def test_changes_are_told_once_and_the_end_last() -> None:
    events = followed(
        wire("queued", "queued", "queued"),
        wire("running", "done", "queued"),
        wire("partial_success", "done", "failed"),
    )
    told = [
        (type(e).__name__, getattr(getattr(e, "item", None) or getattr(e, "job", None), "status", ""))
        for e in events
    ]
    assert told == [
        ("StatusChanged", "running"), ("ItemChanged", "done"), ("StatusChanged", "done_partial"), ("ItemChanged", "failed"),
        ("Ended", "done_partial"),
    ]  # fmt: skip


@pytest.mark.parametrize("outage", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), 503])
def test_an_outage_is_waited_out_and_told_once(outage: Exception | int) -> None:
    names = [type(event).__name__ for event in followed(outage, outage, wire("done", "queued", "queued"))]
    assert names == ["BackendLost", "BackendBack", "StatusChanged", "Ended"]


def test_an_outage_has_its_limit() -> None:
    with pytest.raises(BackendUnreachableError):
        followed(httpx.ConnectError("x"))


def test_a_session_that_ends_is_no_outage() -> None:
    with pytest.raises(BackendRefusedError, match="session has ended"):
        followed(401)


@pytest.mark.parametrize("answer", [wire("queued"), httpx.ConnectError("x")])
def test_the_time_limit_counts_in_an_outage_too(answer: dict[str, Any] | Exception) -> None:
    with pytest.raises(DeadlineError, match=r"Job 7 has not ended within 5 s; it is queued\."):
        followed(answer, timeout_s=5)


def test_a_job_that_has_ended_is_not_asked_for() -> None:
    done = Job.from_wire(wire("done"))
    client = answering(lambda _: pytest.fail("asked"))
    assert list(follow.follow_job(client, done)) == [follow.Ended(done)]


def test_done_is_the_only_good_end() -> None:
    follow.check_outcome(Job.from_wire(wire("done", "done")))


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        (
            Job(
                7,
                "done_partial",
                1,
                1,
                (JobItem(1, 1, "Sal", 1, 1, "done"), JobItem(2, 3, "Alho", 1, 1, "failed", "stuck.")),
            ),
            "Job 7 ended as partial success: Alho in jar 3 failed (stuck).",
        ),
        (Job.from_wire(wire("canceled", "queued", error="By hand.")), "Job 7 ended as canceled: By hand."),
        (Job.from_wire(wire("failed", "failed")), "Job 7 ended as failed: S1 in jar 1 failed."),
    ],
)
def test_a_bad_end_says_what_failed_and_why(job: Job, sentence: str) -> None:
    with pytest.raises(JobEndedBadlyError) as caught:
        follow.check_outcome(job)
    assert caught.value.message == sentence
    assert caught.value.hint == "Send what failed once more: dispctl job retry-failed 7."
