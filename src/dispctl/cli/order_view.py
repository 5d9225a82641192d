"""Shows a job being planned, sent and followed; used by the commands that send one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispctl.cli.backend_view import job_line, plan_table, quantity
from dispctl.cli.job_bars import JobBars, job_bars
from dispctl.operations import follow_job as follow
from dispctl.operations import order_job as order
from dispctl.operations.send_job import AnswerMissed, EarlierSendFound, Sent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.backend_records import Job
    from dispctl.adapters.job_journal import JobJournal
    from dispctl.cli.console import Console


class OrderView:
    """Shows the events of `order_job`; with ``--json`` one object for the plan of a dry run or for the sent job."""

    def __init__(self, console: Console, *, dry_run: bool) -> None:
        self._console = console
        self._dry_run = dry_run
        self._told: dict[str, Any] = {}
        self.job: Job | None = None

    def show(self, events: Iterable[order.OrderEvent]) -> None:
        """Show all of them; `job` is the job afterwards, None after a dry run."""
        for event in events:
            self._show(event)
        if self.job is not None:
            self._console.result({"event": "sent", **self._told, "job": self.job.to_wire()})

    def _show(self, event: order.OrderEvent) -> None:
        if isinstance(event, order.Planned):
            self._planned(event)
        elif isinstance(event, order.RecipeReady):
            self._told["recipe"] = event.recipe.to_wire()
            done = "made" if event.made else "used as it is"
            self._console.detail(f"Recipe {event.recipe.id} ({event.recipe.name}) is {done}.")
        elif isinstance(event, AnswerMissed):
            self._console.warning(f"{event.reason} Looking whether the job is there.")
        elif isinstance(event, EarlierSendFound):
            self._console.warning(
                f"An earlier send of this was cut off; job {event.job.id} came of it. Nothing was sent again."
            )
        elif isinstance(event, Sent):
            self._sent(event)
        elif isinstance(event, order.PlanChanged):
            for sentence in event.differences:
                self._console.warning(sentence)
        else:
            self._console.message("No board is online: the job waits until one is.")

    def _planned(self, event: order.Planned) -> None:
        self._told["plan"] = [pour.to_json() for pour in event.plan.pours]
        if self._dry_run and not event.plan.problems:
            document = {"event": "planned", **self._told, "people": event.people}
            self._console.result(document, plan_table(event.plan))
            self._console.message("Nothing was sent (--dry-run).")
        elif not self._console.json:
            self._console.message(plan_table(event.plan))

    def _sent(self, event: Sent) -> None:
        self.job = event.job
        duration_s = sum(item.duration_s for item in event.job.items)
        self._console.message(f"Job {event.job.id} is sent; it pours for {quantity(duration_s, 's')}.")


def send(
    console: Console,
    client: BackendClient,
    journal: JobJournal,
    events: Iterator[order.OrderEvent],
    *,
    dry_run: bool,
    wait: bool,
    timeout_s: float | None,
) -> None:
    """Show a job being sent and, with `wait`, followed; raises `JobEndedBadlyError` and `DeadlineError`."""
    view = OrderView(console, dry_run=dry_run)
    view.show(events)
    if view.job is not None and wait:
        ended = follow_in_backend(console, client, view.job, timeout_s)
        journal.settle(ended.id)
        follow.check_outcome(ended)
        console.message(job_line(ended))


def follow_in_backend(console: Console, client: BackendClient, job: Job, timeout_s: float | None) -> Job:
    """Show a job being followed to its end; returns how it ended. Raises as `follow_job.follow_job`."""
    try:
        with client.job_news(job.id) as news, job_bars(console, job.items) as bars:
            for event in follow.follow_job(client, job, timeout_s=timeout_s, news=news):
                _show_followed(console, bars, event)
                if isinstance(event, follow.Ended):
                    return event.job
    except KeyboardInterrupt:
        console.message(f"Job {job.id} goes on. See it with dispctl job show {job.id}.")
        raise
    raise AssertionError("following ends with Ended or raises")


def _show_followed(console: Console, bars: JobBars, event: follow.FollowEvent) -> None:
    if console.json:
        _tell_followed(console, event)
    match event:
        case follow.Taken(job):
            console.message(
                f"A board has taken job {job.id}. It reports at the end; until then ≈ is the plan."
            )
        case follow.Waited(job, elapsed_s, None):
            bars.tell(f"Job {job.id}: {follow.status_words(job.status)}", f"{elapsed_s:.0f} s")
        case follow.Waited(job, _, expected) if expected is not None:
            bars.tell_estimate(f"Job {job.id}: on the board", expected)
        case follow.ItemChanged(item):
            bars.change(item)
        case follow.BackendLost(reason):
            console.warning(f"{reason} Asking again.")
        case follow.BackendBack():
            console.message("The backend answers again.")


def _tell_followed(console: Console, event: follow.FollowEvent) -> None:
    match event:
        case follow.Taken(job, expected):
            seconds = {"planned_s": round(expected.total_s, 3), "left_s": round(expected.left_s, 3)}
            console.json_line({"event": "taken", "started_at": job.started_at, **seconds})
        case follow.ItemChanged(item):
            console.json_line({"event": "item", "item": item.to_wire()})
        case follow.StatusChanged(job):
            console.json_line({"event": "status", "status": job.status})
        case follow.Ended(job):
            console.json_line({"event": "ended", "job": job.to_wire()})
