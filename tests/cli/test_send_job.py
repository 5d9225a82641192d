"""`send-job`, `jobs`, `job` and `recipes` on the embedded backend."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from tests.backend.actors import entry, report
from tests.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backend.actors import Board
    from tests.cli.conftest import Shell

CURRY = 'name = "Curry"\nportions = 2\n[ingredients]\nSal = 10\nPimenta = 2.5\n'


def finish(board: Board, *, failing: str = "") -> dict[str, Any]:
    """The board takes the job and reports it; the spice `failing` was not poured. Returns the job."""
    job: dict[str, Any] = board.next_job().json()
    entries = [
        entry(item, "failed", "actuator stuck") if item["tempero"] == failing else entry(item)
        for item in job["itens"]
    ]
    assert board.complete(job["id"], report(entries)).is_success
    return job


@contextmanager
def finishing(board: Board, failing: str = "") -> Iterator[None]:
    """A board that polls meanwhile, and finishes the job when there is one; the end waits for that."""
    finished, given_up = threading.Event(), threading.Event()

    def poll() -> None:
        while not given_up.wait(0.05):
            if board.next_job().status_code == HTTPStatus.OK:
                finish(board, failing=failing)
                finished.set()
                return

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield
        assert finished.wait(30), "the board was given no job"
    finally:
        given_up.set()
        thread.join()


def test_a_file_is_checked_shown_made_once_and_sent(operator: Shell) -> None:
    (operator.folder / "curry.toml").write_text(CURRY)
    shown = operator.done("send-job", "curry.toml", "--people", "4", "--dry-run")
    rows = [line.split() for line in shown.splitlines()[1:]]
    assert rows == [
        ["1", "Sal", "20", "g", "10.0", "s", "80", "g"],
        ["2", "Pimenta", "5", "g", "2.5", "s", "95", "g"],
    ]
    assert operator.json("jobs") == {"jobs": []}
    assert operator.json("recipes") == {"recipes": []}

    job = operator.json("send-job", "curry.toml", "--people", "4")["job"]
    assert [(item["tempero"], item["quantidade_g"], item["segundos"]) for item in job["itens"]] == [
        ("Sal", 20.0, 10.0), ("Pimenta", 5.0, 2.5),
    ]  # fmt: skip
    operator.done("job", "cancel", "--yes")
    assert operator.json("send-job", "curry.toml")["job"]["pessoas_solicitadas"] == 2
    assert len(operator.json("recipes")["recipes"]) == 1


def test_a_recipe_goes_by_name_id_and_what_recipes_printed(operator: Shell) -> None:
    operator.done("send-job", "--item", "Sal=10")
    (recipe,) = operator.json("recipes")["recipes"]
    for arguments, stdin in [(["sal 10 G"], ""), ([str(recipe["id"])], ""), (["-"], json.dumps(recipe))]:
        operator.done("job", "cancel", "--yes")
        operator.done("send-job", *arguments, stdin=stdin)
    assert operator.json("recipes")["recipes"] == [recipe]


def test_a_job_that_is_active_keeps_the_next_one_out(operator: Shell) -> None:
    operator.done("send-job", "--item", "Sal=10")
    said = operator.refused(7, "send-job", "--item", "Sal=10")
    assert "The backend refuses the job: " in said
    assert len(operator.json("jobs")["jobs"]) == 1


def test_problems_are_told_before_anything_is_sent(operator: Shell) -> None:
    said = operator.refused(7, "send-job", "--item", "Curry=10", "--item", "Sal=101")
    assert "No jar holds Curry." in said
    assert "Jar 1 (Sal) has not enough stock: 101 g are needed, 100 g are left." in said
    assert operator.json("recipes") == {"recipes": []}


def test_what_was_typed_wrong(operator: Shell) -> None:
    operator.done("send-job", "--item", "Sal=10")
    assert "Did you mean Sal 10 g?" in operator.refused(2, "send-job", "Sal 10")
    assert "no.toml cannot be read" in operator.refused(2, "send-job", "no.toml")
    assert "Name a recipe" in operator.refused(2, "send-job")
    assert "Name a recipe" in operator.refused(2, "send-job", "x", "--item", "Sal=1")
    assert "standard input, line 1" in operator.refused(2, "send-job", "-", stdin="name = ")


def test_waiting_ends_with_0_when_all_was_poured(operator: Shell, board: Board) -> None:
    with finishing(board):
        ended = operator.run("send-job", "--item", "Sal=10", "--wait", "--timeout", "30")
    assert ended.exit_code == 0, ended.output
    assert "✓ done  1/1 Sal, 10 g" in ended.stderr
    assert operator.json("job", "show")["job"]["status"] == "done"
    assert operator.json("jars")["jars"][0]["estoque_g"] == 90


def test_waiting_ends_with_8_for_partial_success_and_what_failed_is_sent_once_more(
    operator: Shell, board: Board
) -> None:
    with finishing(board, failing="Pimenta"):
        said = operator.refused(8, "send-job", "-i", "Sal=10", "-i", "Pimenta=4", "--wait", "--timeout", "30")
    assert "ended as partial success: Pimenta (jar 2): actuator stuck." in said
    assert "✗ failed  2/2 Pimenta, 4 g" in said

    again = operator.json("job", "retry-failed")["job"]
    assert [(item["tempero"], item["quantidade_g"]) for item in again["itens"]] == [("Pimenta", 4.0)]
    finish(board)
    listed = operator.done("jobs")
    assert "✓ done" in listed
    assert "⚠ partial success" in listed


def test_waiting_ends_with_9_when_the_time_is_over(operator: Shell) -> None:
    said = operator.refused(9, "send-job", "--item", "Sal=1", "--wait", "--timeout", "0.1")
    assert "has not ended within 0.1 s; it is queued." in said
    assert "No board is online" in said


def test_a_job_that_was_sent_earlier_is_followed_to_its_end(operator: Shell, board: Board) -> None:
    operator.done("send-job", "--item", "Sal=10", "--item", "Pimenta=4")
    assert "has not ended within" in operator.refused(9, "job", "follow", "--timeout", "0.1")
    with finishing(board, failing="Pimenta"):
        said = operator.refused(8, "job", "follow", "--timeout", "30")
    assert "✗ failed  2/2 Pimenta, 4 g" in said
    assert "ended as partial success" in operator.refused(8, "job", "follow")


def test_a_job_under_way_is_estimated_and_not_called_done(operator: Shell, board: Board) -> None:
    operator.done("send-job", "--item", "Sal=0.1", "--item", "Pimenta=80")
    assert "queued\n" in operator.done("job", "show")
    assert board.next_job().is_success
    assert "queued (started " in operator.done("job", "show")
    with terminal("job", "follow", **surroundings(operator)) as shown:
        shown.wait_for("A board has taken job")
        shown.wait_for("≈ over")  # of the first step, after 0.05 s
        shown.wait_for("s left")
        assert "done" not in shown.screen
        finish(board)
        assert shown.exit_code() == 0
        assert "✓ done" in shown.screen


def test_objects_go_into_their_file_while_bars_are_on_the_screen(operator: Shell, board: Board) -> None:
    operator.done("send-job", "--item", "Sal=10")
    told = operator.folder / "told"
    with terminal("job", "follow", "--json", results=str(told), **surroundings(operator)) as shown:
        assert board.next_job().is_success
        shown.wait_for("≈")
        finish(board)
        assert shown.exit_code() == 0
    events = [json.loads(line) for line in told.read_text().splitlines()]
    assert [event["event"] for event in events] == ["taken", "status", "item", "ended"]
    assert events[0]["planned_s"] == pytest.approx(5 + 0.5 + 0.3)


def surroundings(operator: Shell) -> dict[str, str]:
    """The environment of a command of the operator's in a process of its own."""
    return {"DISPCTL_STATE_DIR": str(operator.folder / "state"), "DISPCTL_BACKEND": operator.backend}


def test_waiting_tells_objects_line_by_line(operator: Shell, board: Board) -> None:
    with finishing(board):
        told = operator.json("send-job", "--item", "Sal=1", "--wait", "--timeout", "30")
    assert [each["event"] for each in told] == ["sent", "status", "item", "ended"]
    assert told[-1]["job"]["status"] == "done"


def test_cancelling_asks_and_needs_an_active_job(operator: Shell) -> None:
    operator.done("send-job", "--item", "Sal=1")
    assert "Nobody is there to answer" in operator.refused(2, "job", "cancel")
    assert operator.json("job", "cancel", "--yes")["job"]["status"] == "canceled"
    assert "has ended" in operator.refused(7, "job", "cancel", "--yes")
    assert "You have no job 999999" in operator.refused(7, "job", "show", "999999")


def test_names_of_recipes_are_completed(operator: Shell) -> None:
    operator.done("send-job", "--item", "Sal=10")
    typed = {"COMP_WORDS": "dispctl send-job Sa", "COMP_CWORD": "2", "_DISPCTL_COMPLETE": "complete_bash"}
    operator.environment = typed
    assert operator.run().stdout.splitlines() == ["Sal 10 g"]
    operator.backend = "http://127.0.0.1:1"
    assert operator.run().stdout.strip() == ""
