"""A job over the cable to a real virtual board: reported by the board when its network is back, and poured once."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from dispctl.adapters.backend_records import Ingredient, Jar, RecipeDraft
from dispctl.adapters.control import open_control
from dispctl.operations import hand_over

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Board, Workshop

pytestmark = pytest.mark.micropython

ITEMS = ("--item", "Sal=10", "--item", "Pimenta=4")


def ended(workshop: Workshop, job_id: int) -> str:
    """The job's status at its end, which has to come within a minute."""
    deadline = time.monotonic() + 60
    while (status := workshop.job(job_id)["status"]) in ("queued", "running"):
        assert time.monotonic() < deadline, f"job {job_id} is still {status}"
    return str(status)


def test_without_a_network_it_pours_and_the_report_follows(workshop: Workshop, board: Board) -> None:
    board.wifi(on=False)
    arguments = ("send-job", *ITEMS, "--via", "serial", "--port", board.port, "--wait", "--timeout", "60")
    told = [json.loads(line) for line in workshop.dispctl.done(*arguments, "--json").splitlines()]
    assert [each["event"] for each in told] == ["sent", "ended"]
    assert [item["status"] for item in told[-1]["job"]["itens"]] == ["done", "done"]
    assert workshop.stock() == [100, 100, 100, 100], "no report yet"
    job_id = told[0]["job"]["id"]
    board.wifi(on=True)
    assert ended(workshop, job_id) == "done"
    assert workshop.stock() == [90, 96, 100, 100]
    assert [round(poured / 1000) for poured in board.poured_ms()] == [5, 2, 0, 0]


def test_with_a_network_the_backend_has_the_last_word(workshop: Workshop, board: Board) -> None:
    workshop.dispctl.done(
        "send-job", *ITEMS, "--via", "serial", "--port", board.port, "--wait", "--timeout", "60"
    )
    assert workshop.stock() == [90, 96, 100, 100]
    assert [round(poured / 1000) for poured in board.poured_ms()] == [5, 2, 0, 0]


def test_a_local_job_leaves_its_results_on_the_board(workshop: Workshop, board: Board) -> None:
    jars = [Jar(3, "Cominho", 2.0, None), Jar(4, "Orégano", 0.001, None)]
    draft = RecipeDraft("x", 1, (Ingredient("Cominho", 4.0),))
    job = hand_over.local_job(hand_over.planned_items(hand_over.plan_locally(draft, 1, jars)))
    with open_control(board.cable) as control:
        hand_over.require_free(control)
        hand_over.hand_over(control, job, None)
        ended = list(hand_over.follow_on_board(control, job, timeout_s=60))[-1]
        assert isinstance(ended, hand_over.EndedOnBoard)
        assert (ended.job.status, ended.reported) == ("done", False)
        assert hand_over.hand_over(control, job, None).ended_before
    assert workshop.stock() == [100, 100, 100, 100]
    assert [round(poured / 1000) for poured in board.poured_ms()] == [0, 0, 2, 0]


def test_a_jar_is_calibrated_by_what_the_board_measured(workshop: Workshop, board: Board) -> None:
    arguments = ("calibrate", "3", "--seconds", "2", "--grams", "5", "--yes", "--port", board.port)
    jar = workshop.dispctl.json("jars", *arguments)["jars"][2]
    assert abs(jar["g_por_seg"] - 2.5) < 0.05
    assert jar["estoque_g"] == 100
    assert [round(poured / 1000) for poured in board.poured_ms()] == [0, 0, 2, 0]
