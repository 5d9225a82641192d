"""What boards do again and again: ask whether anything waits for them, and say that they live. Many at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session

from dispctl.backend.store.tables import IS_QUEUED, Device, Job


@dataclass(frozen=True)
class KnownBoard:
    """What is known of a board that asks; `has_job`: `dispctl.backend.store.jobs.next_for` would find one."""

    id: int
    operator_id: int
    last_seen: datetime
    has_job: bool


@dataclass(frozen=True)
class SignOfLife:
    """What a board says of itself; None where it says nothing."""

    board_id: int
    fw_version: str | None
    status: dict[str, Any] | None


_HAS_JOB = exists().where(
    Job.operator_id == Device.operator_id,
    IS_QUEUED,
    or_(Job.device_id.is_(None), Job.device_id == Device.id),
)
_NOTE = (
    update(Device)
    .where(Device.id == bindparam("board_id"))
    .values(
        last_seen=bindparam("heard_at"),
        fw_version=func.coalesce(bindparam("version"), Device.fw_version),
        status=func.coalesce(bindparam("said", type_=JSON(none_as_null=True)), Device.status),
    )
)


def look_up(session: Session, token_hashes: Collection[str]) -> dict[str, KnownBoard]:
    """The boards that hold the tokens of these hashes, by hash: one index lookup a board, and one in the queue."""
    rows = session.execute(
        select(Device.token_hash, Device.id, Device.operator_id, Device.last_seen, _HAS_JOB).where(
            Device.token_hash.in_(token_hashes)
        )
    )
    return {row[0]: KnownBoard(row[1], row[2], row[3], row[4]) for row in rows}


def saw_all(session: Session, board_ids: Collection[int], now: datetime) -> None:
    """Note that these boards were heard of.

    They are locked in order, as other batches do it, and those that are being changed are heard of anyhow.
    """
    free = select(Device.id).where(Device.id.in_(board_ids)).order_by(Device.id)
    free = free.with_for_update(skip_locked=True, key_share=True)
    session.execute(
        update(Device)
        .where(Device.id.in_(free))
        .values(last_seen=now)
        .execution_options(synchronize_session=False)
    )


def note(session: Session, signs: Collection[SignOfLife], now: datetime) -> set[int]:
    """Keep what these boards say of themselves; what one leaves out stays as it was. Returns the ids that there are.

    They are locked in order, as other batches do it; whoever else changes a board waits for no second one.
    """
    asked = select(Device.id).where(Device.id.in_({sign.board_id for sign in signs})).order_by(Device.id)
    known = set(session.scalars(asked.with_for_update(key_share=True)))
    said = [
        {"board_id": sign.board_id, "heard_at": now, "version": sign.fw_version, "said": sign.status}
        for sign in signs
        if sign.board_id in known
    ]
    if said:
        session.connection().execute(_NOTE, said)
    return known
