"""A window that is made narrower and wider while something stays at its foot: nothing is doubled, broken or cut."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.fake_board import FakeBoard
from tests.terminal import terminal
from tests.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.backend.actors import Board
    from tests.cli.conftest import Shell

WIDTHS = (70, 44, 90, 30, 29, 100, 20)
LINES = 40
HOW_TERMINALS_SHRINK = pytest.mark.parametrize("cuts", [False, True], ids=["breaks", "cuts"])


def once_with_room(*beginnings: str, columns: int) -> Callable[[list[str]], bool]:
    """The last rows begin with these expressions and no other row does; the window's last column is empty."""

    def holds(rows: list[str]) -> bool:
        last, before = rows[-len(beginnings) :], rows[: -len(beginnings)]
        return (
            len(last) == len(beginnings)
            and all(map(re.match, beginnings, last))
            and all(len(row) == columns and row[-1] == " " for row in last)
            and not any(re.match(beginning, row) for beginning in beginnings for row in before)
        )

    return holds


@HOW_TERMINALS_SHRINK
def test_the_monitors_live_line(*, cuts: bool) -> None:
    board = FakeBoard()
    with terminal("monitor", "-p", board.port) as shown:
        window = Window(shown, 100, LINES, cuts=cuts)
        window.wait_until(once_with_room(" no job seen", columns=100))
        for number, columns in enumerate(WIDTHS):
            board.print(f"line {number}")
            window.wait_until(lambda rows, wanted=f"line {number}": rows[-2].rstrip() == wanted)  # type: ignore[misc]
            window.resize(columns)
            rows = window.wait_until(once_with_room(" no job seen", columns=columns))
            numbers = [row.rstrip() for row in rows if row.startswith("line")]
            assert numbers == [f"line {seen}" for seen in range(number + 1)]
    board.stop()


@HOW_TERMINALS_SHRINK
def test_the_bars_of_a_job(operator: Shell, board: Board, *, cuts: bool) -> None:
    surroundings = {"DISPCTL_STATE_DIR": str(operator.folder / "state"), "DISPCTL_BACKEND": operator.backend}
    with terminal(*["send-job", "-i", "Sal=40", "-i", "Pimenta=40", "--wait"], **surroundings) as shown:
        window = Window(shown, 100, LINES, cuts=cuts)
        bars = (r"Job \d+:", "1/2 Sal", "2/2 ")
        window.wait_until(once_with_room(*bars, columns=100))
        board.next_job()
        window.wait_until(lambda rows: any("has taken" in row for row in rows))
        for columns in WIDTHS:
            window.resize(columns)
            window.wait_until(once_with_room(*bars, columns=columns))
        shown.process.terminate()


def test_what_is_typed_beside_the_bars_is_not_shown_and_left_for_what_runs_next(
    operator: Shell, board: Board
) -> None:
    operator.done("send-job", "-i", "Sal=40")
    surroundings = {"DISPCTL_STATE_DIR": str(operator.folder / "state"), "DISPCTL_BACKEND": operator.backend}
    with terminal("job", "follow", **surroundings) as shown:
        window = Window(shown, 100, LINES)
        window.wait_until(once_with_room(r"Job \d+:", "1/1 Sal", columns=100))
        shown.type("make test\n")
        board.next_job()
        rows = window.wait_until(lambda rows: any("has taken" in row for row in rows))
        assert not any("make" in row for row in rows)
        shown.process.terminate()
        assert shown.process.wait(30) == 128 + signal.SIGTERM
        assert shown.settings == shown.settings_before
        assert shown.left_over() == "make test\n"
