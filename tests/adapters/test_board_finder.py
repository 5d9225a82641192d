"""Which port a named board is on, when some boards tell their MAC and some do not."""

from __future__ import annotations

import pytest

from dispctl.adapters import board_finder
from dispctl.errors import BoardNotFoundError, BoardRefusedError, DispctlError, UsageError

MAC, OTHER, THIRD = "24:6f:28:d1:5c:01", "24:6f:28:d1:5c:02", "24:6f:28:d1:5c:03"


def find(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str | None]) -> str:
    monkeypatch.setattr(board_finder, "ask_mac", answers.__getitem__)
    return board_finder.find("bench-1", MAC, [(f"shown {port}", port) for port in answers])


def test_the_board_that_says_so_is_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(monkeypatch, {"a": OTHER, "b": None, "c": MAC}) == "c"


def test_the_only_one_that_does_not_tell_may_be_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(monkeypatch, {"a": OTHER, "b": None, "c": THIRD}) == "b"


@pytest.mark.parametrize(
    ("answers", "kind", "words"),
    [
        ({"a": OTHER, "b": THIRD}, BoardRefusedError, "not connected; there is 24:6f:28:d1:5c:02 on shown a"),
        ({"a": None, "b": None}, UsageError, "may be on any of shown a, shown b"),
        ({}, BoardNotFoundError, "is not connected"),
    ],
)
def test_another_board_never_takes_its_place(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, str | None], kind: type[DispctlError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        find(monkeypatch, answers)
