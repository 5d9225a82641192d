"""What `inspect-flash` shows of a board that lost its power in the middle of a job, and what `--clear` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Board, Workshop

pytestmark = pytest.mark.micropython

PHASE_2_KEYS = {"job_id", "total", "done", "failed", "ts_inicio", "json", "log"}


def lose_power_in_item_3(workshop: Workshop, board: Board) -> int:
    """Cut the power in the third item and bring the board back without a network; returns the job's id."""
    with board.monitor() as log:
        job = workshop.send_job()
        third = log.wait_for("[EXEC] Item 3/4")
        board.wifi(on=False)
        board.cycle_power()
        log.wait_for("[SETUP] Job anterior detectado", after=third)
    return job


def test_the_saved_job_is_shown_then_cleared(workshop: Workshop, board: Board) -> None:
    job = lose_power_in_item_3(workshop, board)

    shown = workshop.dispctl.json("inspect-flash", "--port", board.port)
    assert shown.keys() >= PHASE_2_KEYS
    assert (shown["job_id"], shown["total"], shown["done"], shown["failed"]) == (job, 4, 2, 0)
    assert [item["state"] for item in shown["items"]] == ["done", "done", "running", "pending"]
    assert 0 <= shown["items"][2]["poured_ms"] < shown["items"][2]["asked_ms"]
    assert [entry["tempero"] for entry in shown["log"]] == ["Sal", "Pimenta"]
    assert (shown["next"], shown["next_item"]) == ("pour", 3)

    table = workshop.dispctl.done("inspect-flash", "--port", board.port)
    assert f"Job {job}: 2 of 4 items done" in table
    assert "goes on with item 3/4" in table

    refused = workshop.dispctl.run("inspect-flash", "--port", board.port, "--clear")
    assert refused.returncode == 2
    assert "Add --yes" in refused.stderr

    cleared = workshop.dispctl.run("inspect-flash", "--port", board.port, "--clear", "--yes")
    assert cleared.returncode == 0, cleared.stderr
    assert "Saved in" in cleared.stderr
    assert f"The backend will hand job {job} out again unless it is cancelled" in cleared.stderr
    assert workshop.dispctl.json("inspect-flash", "--port", board.port)["job_id"] is None


def test_the_flash_of_a_dark_board_is_read_from_its_file(workshop: Workshop, board: Board) -> None:
    job = lose_power_in_item_3(workshop, board)
    board.control.request("power", action="off")
    flash = workshop.dispctl.json("sim", "status", "--name", board.name)["flash"]["file"]

    shown = workshop.dispctl.json("inspect-flash", "--image", flash)

    assert (shown["job_id"], shown["done"]) == (job, 2)
