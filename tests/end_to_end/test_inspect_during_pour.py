"""Looking at a board while it pours changes nothing of what is poured."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from dispctl.adapters.backups import Backups
from dispctl.adapters.control import open_control
from dispctl.operations.inspect_flash import Inspected, Request, inspect_flash
from tests.end_to_end.test_phase_2 import assert_poured_and_reported

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.end_to_end.conftest import Board, Workshop

pytestmark = pytest.mark.micropython

LOOKS = 3
DEADLINE_S = 60.0


def await_status(board: Board, holds: Callable[[dict[str, Any]], bool]) -> None:
    """Ask until the answer is as wanted, and let go of the cable."""
    deadline = time.monotonic() + DEADLINE_S
    with open_control(board.cable) as control:
        while not holds(status := control.request("status")):
            assert time.monotonic() < deadline, status
            control.listen(0.05)


def test_a_look_is_not_felt(workshop: Workshop, board: Board, tmp_path: Path) -> None:
    # By the operation: starting the command anew could take longer than the rest of the job on a fast clock.
    job = workshop.send_job()
    for item in range(1, LOOKS + 1):
        await_status(board, lambda status, item=item: status["pouring"] and status["item"] >= item)  # type: ignore[misc]
        (look,) = inspect_flash(Request(port=board.cable), Backups(tmp_path))
        assert isinstance(look, Inspected)
        assert (look.via, look.view["job_id"], look.view["total"]) == ("control", job, 4)
    await_status(board, lambda status: status["job"] is None)
    assert_poured_and_reported(workshop, board, job)
    doses = workshop.dispctl.json("sim", "doses", "--name", board.name)
    assert [[opening["cause"] for opening in jar["openings"]] for jar in doses["jars"]] == [["firmware"]] * 4
