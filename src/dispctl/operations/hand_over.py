"""Hand a job to a board over its cable, and follow it there.

A job of the backend goes as the backend would hand it out: the board reports it when it has a network. Without a backend
the job is a local one: its id is one that no backend gives, its results stay on the board, and nothing is taken off the
stock.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import random
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from dispctl.adapters.backend_records import Job, JobItem
from dispctl.errors import BackendUnreachableError, BoardRefusedError, DamagedError, DeadlineError
from dispctl.firmware import job_state
from dispctl.firmware.job import FIRST_LOCAL_ID, MAX_JOB_ID, MAX_PAYLOAD_BYTES
from dispctl.operations.dose_plan import plan
from dispctl.operations.follow_job import Clock
from dispctl.operations.job_state_sources import ControlSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.backend_records import Device, Jar, MotorSettings, RecipeDraft
    from dispctl.adapters.control import ControlLine
    from dispctl.operations.dose_plan import DosePlan

LOOK_INTERVAL_S = 0.5
ANSWER_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class Identity:
    """A board by its chip, and by what its backend called it when it was claimed."""

    uid: str
    device_id: int | None

    def is_of(self, device: Device) -> bool:
        """Whether the backend means this board."""
        return device.uid == self.uid or device.id == self.device_id


@dataclass(frozen=True)
class HandedOver:
    """The job is on the board's flash; `ended_before` if the board had poured it already."""

    job: Job
    ended_before: bool


@dataclass(frozen=True)
class Poured:
    """How far the step under way is."""

    position: int
    poured_ms: int
    asked_ms: int
    elapsed_s: float


@dataclass(frozen=True)
class EndedOnBoard:
    """The board has poured all it will; `reported` if the backend has its report, and not the board the results.

    `poured_ms` is how long each step really poured, where the board has the results.
    """

    job: Job
    reported: bool
    poured_ms: tuple[int, ...] = ()


def require_free(control: ControlLine) -> Identity:
    """Who the board is; raises BoardRefusedError while it has a job."""
    status = control.request("status")
    if status.get("job") is not None:
        raise BoardRefusedError(
            f"The board has job {status['job']}.",
            hint="Wait for its end (dispctl monitor --until-job-done), or see dispctl inspect-flash.",
        )
    settings = control.request("get_settings")["settings"]
    return Identity(str(status.get("uid", "")), settings.get("device_id"))


def require_no_other_board(client: BackendClient, board: Identity) -> None:
    """Raise BoardRefusedError while another board of the operator is online: it would be given the same job."""
    others = [device.uid for device in client.devices() if device.online and not board.is_of(device)]
    if others:
        raise BoardRefusedError(
            f"Board {others[0]} is online and could pour the same job.",
            hint="Send the job without --via serial, or switch that board off.",
        )


def plan_locally(recipe: RecipeDraft, people: int, jars: Sequence[Jar]) -> DosePlan:
    """The plan by the jars as they were last seen; raises as `DosePlan.check`, and BackendUnreachableError without them."""
    if not jars:
        raise BackendUnreachableError(
            "The backend is out of reach, and its jars were never seen here.",
            hint="Reach it once with dispctl send-job --dry-run.",
        )
    planned = plan(recipe, people, jars)
    planned.check()
    return planned


def planned_items(planned: DosePlan) -> list[JobItem]:
    """The steps of a checked plan."""
    return [
        JobItem(position, pour.jar or 0, pour.spice, pour.grams, pour.duration_s or 0.0, "queued")
        for position, pour in enumerate(planned.pours, start=1)
    ]


def local_job(items: Sequence[JobItem]) -> Job:
    """A job that no backend knows; its id is chosen by chance, so that no two machines give the same."""
    number = random.randrange(FIRST_LOCAL_ID, MAX_JOB_ID + 1)  # noqa: S311 - no secret
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Job(number, "queued", None, 1, tuple(items), created_at=now)


def is_local(job: Job) -> bool:
    """Whether no backend knows the job."""
    return job.id >= FIRST_LOCAL_ID


def hand_over(control: ControlLine, job: Job, motor: MotorSettings | None) -> HandedOver:
    """Put the job on the board's flash; it pours at once. A repeat changes nothing.

    Raises BoardRefusedError and the errors of the cable.
    """
    payload = _payload(job, motor)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise BoardRefusedError(
            f"The job has {len(payload)} bytes; a board takes at most {MAX_PAYLOAD_BYTES}.",
            hint="Send fewer or shorter steps.",
        )
    answer = control.request("put_job", job=base64.b64encode(payload).decode())
    return HandedOver(job, bool(answer.get("ended")))


def follow_on_board(
    control: ControlLine, job: Job, *, timeout_s: float | None = None, clock: Clock | None = None
) -> Iterator[Poured | EndedOnBoard]:
    """Yield how far the job is, `EndedOnBoard` last; raises DeadlineError after `timeout_s` (None: never)."""
    clock = clock or Clock()
    began_s = clock.now()
    while _under_way(status := control.request("status"), job):
        elapsed_s = clock.now() - began_s
        if timeout_s is not None and elapsed_s >= timeout_s:
            raise DeadlineError(
                f"Job {job.id} has not ended within {timeout_s:g} s.",
                hint="It goes on. See it with dispctl monitor or dispctl inspect-flash.",
            )
        if status.get("item"):
            yield Poured(status["item"], status.get("poured_ms") or 0, status.get("asked_ms") or 0, elapsed_s)
        control.listen(LOOK_INTERVAL_S)
    yield _ended(control, job, reported=status.get("job") != job.id and not is_local(job))


def _under_way(status: dict[str, Any], job: Job) -> bool:
    """Whether the board still has something to do that it can do: a local job is over when its results are kept."""
    return status.get("job") == job.id and (is_local(job) or not status.get("pending_report"))


def _payload(job: Job, motor: MotorSettings | None) -> bytes:
    """The document as ``next_job`` gives it (`design/contract.md`), as short as it can be."""
    fields = ("ordem", "frasco", "tempero", "quantidade_g", "segundos")
    items = [{name: item.to_wire()[name] for name in fields} for item in job.items]
    document: dict[str, Any] = {"id": job.id, "created_at": job.created_at, "itens": items}
    if motor is not None:
        document["motor_config"] = motor.to_wire()
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _ended(control: ControlLine, job: Job, *, reported: bool) -> EndedOnBoard:
    if reported:
        return EndedOnBoard(job, reported=True)
    files = ControlSource(control, ANSWER_TIMEOUT_S).read().files
    view = _local_view(files) if is_local(job) else job_state.decode(files)[0]
    if view is None or view["job_id"] != job.id:
        if not is_local(job):
            return EndedOnBoard(job, reported=True)  # the report went out meanwhile
        raise DamagedError(
            f"The board does not have the results of job {job.id}.", hint="See dispctl inspect-flash."
        )
    poured_ms = tuple(int(result["poured_ms"]) for result in view["items"])
    return EndedOnBoard(_with_results(job, view), reported=False, poured_ms=poured_ms)


def _local_view(files: dict[str, bytes]) -> dict[str, Any] | None:
    return job_state.decode_rejected({job_state.REJECTED_FILE: files.get(job_state.LOCAL_FILE, b"")})


def _with_results(job: Job, view: dict[str, Any]) -> Job:
    """The job with each step's result, and the status that the backend would give it."""
    items = tuple(
        dataclasses.replace(item, status=result["state"], error=result["error"])
        for item, result in zip(job.items, view["items"], strict=True)
    )
    done = sum(item.status == "done" for item in items)
    status = "done" if done == len(items) else "done_partial" if done else "failed"
    return dataclasses.replace(job, status=status, items=items)
