"""Clearing a board's job and cancelling it in the backend in one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispctl.firmware import job_state as codec
from tests.fake_board import running
from tests.operations.saved_jobs import PAYLOAD
from tests.operations.test_inspect_flash import Firmware

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


def firmware_with(job_id: int) -> Firmware:
    payload = PAYLOAD.replace(b'"id": 7', f'"id": {job_id}'.encode(), 1)
    return Firmware({codec.JOB_FILE: codec.encode_job(1234, payload)})


def test_the_job_is_cancelled_and_cleared(operator: Shell) -> None:
    job_id = operator.json("send-job", "--item", "Sal=10")["job"]["id"]
    firmware = firmware_with(job_id)
    with running(firmware.board) as board:
        said = operator.json("inspect-flash", "--port", board.port, "--clear", "--cancel", "--yes")
    assert (said["cancelled"], said["cleared"]) == (True, True)
    assert operator.json("job", "show", str(job_id))["job"]["status"] == "canceled"
    assert firmware.saved == {}


def test_a_job_that_is_over_in_the_backend_is_cleared_all_the_same(operator: Shell) -> None:
    firmware = firmware_with(987654)
    with running(firmware.board) as board:
        said = operator.json("inspect-flash", "--port", board.port, "--clear", "--cancel", "--yes")
    assert (said["cancelled"], said["cleared"]) == (False, True)


def test_who_is_not_logged_in_learns_it_before_the_board_is_touched(shell: Shell) -> None:
    firmware = firmware_with(7)
    with running(firmware.board) as board:
        words = shell.refused(7, "inspect-flash", "--port", board.port, "--clear", "--cancel", "--yes")
    assert "You are not logged in" in words
    assert firmware.saved


def test_cancelling_alone_is_another_command(shell: Shell) -> None:
    assert "dispctl job cancel" in shell.refused(2, "inspect-flash", "--cancel")
