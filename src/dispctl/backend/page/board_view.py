"""Boards as the page shows them, and whether a job's can be heard; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispctl.backend.page.job_view import JobView
from dispctl.backend.store.tables import Device


@dataclass(frozen=True)
class BoardView:
    """A board, and whether it was heard of lately."""

    id: int
    uid: str
    fw_version: str
    last_seen: datetime
    online: bool


def view_boards(boards: Sequence[Device], *, now: datetime, online_within: timedelta) -> list[BoardView]:
    """The boards, those online first."""
    views = [
        BoardView(
            id=board.id,
            uid=board.uid,
            fw_version=board.fw_version,
            last_seen=board.last_seen,
            online=now - board.last_seen <= online_within,
        )
        for board in boards
    ]
    return sorted(views, key=lambda board: not board.online)


def is_heard(boards: Sequence[BoardView], job: JobView | None) -> bool:
    """Whether the board that took the job is online; any board, for a job that none has taken."""
    taken_by = job.device_id if job else None
    return any(board.online for board in boards if taken_by in (None, board.id))
