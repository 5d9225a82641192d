"""What boards ask once a second: whether anything waits for them. Many are answered by one query."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from dispctl.backend.store.tables import IS_QUEUED, Device, Job


@dataclass(frozen=True)
class Poll:
    """What is known of a board that asks; `has_job`: `dispctl.backend.store.jobs.next_for` would find one."""

    device_id: int
    operator_id: int
    last_seen: datetime
    has_job: bool


_HAS_JOB = exists().where(
    Job.operator_id == Device.operator_id,
    IS_QUEUED,
    or_(Job.device_id.is_(None), Job.device_id == Device.id),
)


def look_up(session: Session, token_hashes: Collection[str]) -> dict[str, Poll]:
    """The boards that hold the tokens of these hashes, by hash: one index lookup a board, and one in the queue."""
    rows = session.execute(
        select(Device.token_hash, Device.id, Device.operator_id, Device.last_seen, _HAS_JOB).where(
            Device.token_hash.in_(token_hashes)
        )
    )
    return {row[0]: Poll(row[1], row[2], row[3], row[4]) for row in rows}


def saw_all(session: Session, device_ids: Collection[int], now: datetime) -> None:
    """Note that these boards were heard of.

    They are locked in order, as other batches do it, and those that are being changed are heard of anyhow.
    """
    free = select(Device.id).where(Device.id.in_(device_ids)).order_by(Device.id)
    free = free.with_for_update(skip_locked=True, key_share=True)
    session.execute(
        update(Device)
        .where(Device.id.in_(free))
        .values(last_seen=now)
        .execution_options(synchronize_session=False)
    )
