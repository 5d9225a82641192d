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


def taken(**times: str) -> dict[str, Any]:
    made = {"created_at": "2026-01-01T09:59:00Z", "started_at": "2026-01-01T10:00:00Z"}
    return {**wire("queued", "queued", "queued"), **made, **times}


def test_a_job_that_a_board_has_taken_is_estimated_by_the_backends_clock() -> None:
    now = {"utc": "2026-01-01T10:00:01.500000+00:00"}
    motor = {
        "vibration_intensity": 75,
        "pre_start_delay_ms": 250,
        "post_stop_delay_ms": 250,
        "max_runtime_sec": 300,
    }
    jobs = [
        wire("queued", "queued", "queued"),
        taken(),
        taken(),
        taken(),
        taken(),
        wire("done", "done", "done"),
    ]
    answers: dict[str, Any] = {"/time": now, "/config/motor": motor}
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=answers.get(request.url.path) or jobs.pop(0))

    queued = Job.from_wire(wire("queued", "queued", "queued"))
    events = list(follow.follow_job(answering(answer), queued, clock=Time().clock()))
    (first,) = [event for event in events if isinstance(event, follow.Taken)]
    assert (first.estimate.poured_s, first.estimate.left_s, first.estimate.total_s) == ((1.0, 0.0), 1.5, 3.0)
    waited = [event.estimate for event in events if isinstance(event, follow.Waited)]
    assert waited[:2] == [None, None]
    assert [each and each.poured_s for each in waited[2:]] == [(1, 0), (1, 0.75), (1, 1), (1, 1)]
    assert [each and each.left_s for each in waited[2:]] == [1.5, 0.5, 0, 0]
    assert asked.count("/time") == 1


@pytest.mark.parametrize("online", [True, False])
def test_a_job_that_starts_when_it_is_made_is_taken_only_if_a_board_can_have_taken_it(
    *, online: bool
) -> None:
    jobs = [taken(created_at="2026-01-01T10:00:00Z"), wire("done", "done", "done")]
    board = {"id": 1, "uid": "esp-1", "fw_version": None, "last_seen": None, "online": online}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/devices":
            return httpx.Response(200, json={"devices": [board], "online_any": online})
        return httpx.Response(200, json=jobs.pop(0)) if "/jobs/" in request.url.path else httpx.Response(404)

    queued = Job.from_wire(wire("queued", "queued", "queued"))
    events = list(follow.follow_job(answering(answer), queued, clock=Time().clock()))
    assert any(isinstance(event, follow.Taken) for event in events) is online
    assert isinstance(events[-1], follow.Ended)


@pytest.mark.parametrize("now", [{"utc": "yesterday"}, {}, 404, httpx.ConnectError("x")])
def test_without_the_backends_clock_a_job_counts_from_when_it_was_seen(
    now: dict[str, str] | int | Exception,
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/time" and isinstance(now, Exception):
            raise now
        if request.url.path == "/time":
            return httpx.Response(now) if isinstance(now, int) else httpx.Response(200, json=now)
        return (
            httpx.Response(404) if request.url.path == "/config/motor" else httpx.Response(200, json=taken())
        )

    events = follow.follow_job(answering(answer), Job.from_wire(taken()), clock=Time().clock())
    first = next(events)
    assert isinstance(first, follow.Taken)
    assert (first.estimate.poured_s, first.estimate.left_s) == ((0, 0), 2)


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
