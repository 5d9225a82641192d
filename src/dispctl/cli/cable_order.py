"""``send-job --via serial``: a job planned, handed to the board over the cable, and followed there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters.control import open_control
from dispctl.cli.backend_view import job_line, plan_table, quantity
from dispctl.cli.job_bars import job_bars
from dispctl.cli.order_view import OrderView, follow_in_backend
from dispctl.errors import (
    BackendUnreachableError,
    BoardRefusedError,
    BoardSilentError,
    JobEndedBadlyError,
)
from dispctl.operations import follow_job, hand_over
from dispctl.operations.backend_session import open_backend, open_journal
from dispctl.operations.order_job import NoBoardOnline, order_job, requested

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.backend_records import Job, MotorSettings, Recipe
    from dispctl.adapters.control import ControlLine
    from dispctl.cli.console import Console
    from dispctl.operations.order_job import Request


@dataclass(frozen=True)
class CableOrder:
    """What is to be sent, and how far."""

    request: Request
    read_input: Callable[[], str]
    dry_run: bool
    wait: bool
    timeout_s: float | None


def send_over_cable(console: Console, order: CableOrder, backend: str, port: str) -> None:
    """Send it; raises what planning, the cable and, with `wait`, the job's end raise."""
    with open_control(port) as control, open_backend(backend) as client:
        board = hand_over.require_free(control)
        motor = _motor_if_reached(client)
        if motor is None:
            console.warning("The backend is out of reach: the job is planned with the jars as last seen.")
            job = _local_job(console, client, order)
        else:
            job = _backends_job(console, client, order, board)
        if job is None:
            return
        _hand_over(console, control, job, motor)
        if order.wait:
            ended = _follow(console, control, client, job, order.timeout_s)
            _check_outcome(ended)
            console.message(job_line(ended))


def _check_outcome(ended: Job) -> None:
    try:
        follow_job.check_outcome(ended)
    except JobEndedBadlyError as error:
        if hand_over.is_local(ended):
            error.hint = "The board keeps the results: dispctl inspect-flash."
        raise


def _motor_if_reached(client: BackendClient) -> MotorSettings | None:
    try:
        return client.motor()
    except BackendUnreachableError:
        return None


def _backends_job(
    console: Console, client: BackendClient, order: CableOrder, board: hand_over.Identity
) -> Job | None:
    hand_over.require_no_other_board(client, board)
    draft, people = requested(order.request, client.recipes, order.read_input)
    events = order_job(client, open_journal(client.base_url), draft, people, dry_run=order.dry_run)
    view = OrderView(console, dry_run=order.dry_run)
    view.show(event for event in events if not isinstance(event, NoBoardOnline))
    return view.job


def _local_job(console: Console, client: BackendClient, order: CableOrder) -> Job | None:
    draft, people = requested(order.request, _no_recipes, order.read_input)
    planned = hand_over.plan_locally(draft, people, open_journal(client.base_url).jars)
    told = [pour.to_json() for pour in planned.pours]
    if order.dry_run:
        console.result({"event": "planned", "plan": told, "people": people}, plan_table(planned))
        return None
    job = hand_over.local_job(hand_over.planned_items(planned))
    console.result({"event": "sent", "plan": told, "job": job.to_wire()})
    console.message(plan_table(planned))
    return job


def _no_recipes() -> list[Recipe]:
    raise BackendUnreachableError(
        "Recipes are in the backend, and it is out of reach.",
        hint="Give a recipe's file, or its ingredients with --item SPICE=GRAMS.",
    )


def _hand_over(console: Console, control: ControlLine, job: Job, motor: MotorSettings | None) -> None:
    try:
        handed = hand_over.hand_over(control, job, motor)
    except (BoardSilentError, BoardRefusedError) as error:
        if not hand_over.is_local(job):
            error.hint = (
                f"Job {job.id} waits in the backend: the board gets it when it is online, "
                f"or cancel it: dispctl job cancel {job.id}."
            )
        raise
    duration_s = sum(item.duration_s for item in job.items)
    words = "had poured it before" if handed.ended_before else f"pours it for {quantity(duration_s, 's')}"
    console.message(f"Job {job.id} is on the board, which {words}.")


def _follow(
    console: Console, control: ControlLine, client: BackendClient, job: Job, timeout_s: float | None
) -> Job:
    """The job as it ended: by the board's word, or by the backend's where the board has reported it."""
    ended = _followed_on_board(console, control, job, timeout_s)
    if ended.reported:
        return follow_in_backend(console, client, job, timeout_s)
    if console.json:
        console.json_line({"event": "ended", "job": ended.job.to_wire()})
    if hand_over.is_local(job):
        console.message(
            "No backend knows of this job: take what was poured off the stock with dispctl jars set."
        )
    else:
        console.message("The board reports it to the backend when it has a network.")
    return ended.job


def _followed_on_board(
    console: Console, control: ControlLine, job: Job, timeout_s: float | None
) -> hand_over.EndedOnBoard:
    with job_bars(console, job.items) as bars:
        for event in hand_over.follow_on_board(control, job, timeout_s=timeout_s):
            if isinstance(event, hand_over.EndedOnBoard):
                for item in () if event.reported else event.job.items:
                    bars.change(item)
                return event
            bars.tell(f"Job {job.id}: being poured", f"{event.elapsed_s:.0f} s")
            bars.pour(event.position, event.poured_ms, event.asked_ms)
    raise AssertionError("following ends with EndedOnBoard or raises")
