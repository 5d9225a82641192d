"""Who is found running, and who is not."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - pytest's fixture

import pytest

from dispctl.virtual.registry import Entry, registered, running

GONE_PID = 2**22 + 1  # above Linux's largest process number


def entry(name: str = "board", pid: int | None = None) -> Entry:
    number = os.getpid() if pid is None else pid
    return Entry(name, number, "rfc2217://127.0.0.1:1", "127.0.0.1:2", "/f", "24:6f:28:00:00:01")


def test_a_board_is_found_while_it_runs(tmp_path: Path) -> None:
    directory = tmp_path / "not" / "there" / "yet"
    assert running(directory) == []
    with registered(directory, entry("b")), registered(directory, entry("a")):
        assert [one.name for one in running(directory)] == ["a", "b"]
        assert running(directory)[1] == entry("b")
    assert list(directory.iterdir()) == []


def test_it_is_taken_out_when_the_board_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), registered(tmp_path, entry()):
        raise ValueError("broken")
    assert running(tmp_path) == []


def test_dead_and_damaged_entries_are_passed_over(tmp_path: Path) -> None:
    for name, text in {"torn": '{"na', "list": "[]", "other": '{"pid": 1}', "null": "null"}.items():
        (tmp_path / f"{name}.json").write_text(text)
    with registered(tmp_path, entry("dead", GONE_PID)):
        assert running(tmp_path) == []


def test_another_boards_entry_of_that_name_stays(tmp_path: Path) -> None:
    with registered(tmp_path, entry(pid=GONE_PID)), registered(tmp_path, entry()):
        pass
    with registered(tmp_path, entry(pid=GONE_PID)):
        (tmp_path / "board.json").write_text(
            (tmp_path / "board.json").read_text().replace(str(GONE_PID), "1")
        )
    assert (tmp_path / "board.json").exists()
