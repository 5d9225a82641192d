"""How many there are of what, for those who run the backend."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispctl.backend.store.tables import Device, Job

STATUSES = ("queued", "running", "done", "done_partial", "failed", "canceled")


@dataclass(frozen=True)
class Census:
    """All operators' boards that are online, and jobs by status (every status is named)."""

    boards_online: int
    jobs: dict[str, int]


def take(session: Session, online_since: datetime) -> Census:
    """Count; boards heard of since `online_since` are online."""
    online = session.scalar(select(func.count()).select_from(Device).where(Device.last_seen >= online_since))
    by_status = session.execute(select(Job.status, func.count()).group_by(Job.status)).all()
    return Census(online or 0, dict.fromkeys(STATUSES, 0) | {row[0]: row[1] for row in by_status})
