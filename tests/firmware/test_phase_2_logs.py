"""The log lines of phase 2, to the letter, on both interpreters: `tests/golden/firmware` holds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.on_micropython.board.phase_2_logs import SCENARIOS, log_of
from tests.on_micropython.test_interpreter import BOARD, ROOT, run_micropython

GOLDEN = Path(__file__).parents[1] / "golden" / "firmware"


def golden(name: str) -> list[str]:
    return (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", SCENARIOS)
def test_log(name: str) -> None:
    assert log_of(name) == golden(name)


@pytest.mark.micropython
@pytest.mark.parametrize("name", SCENARIOS)
def test_log_on_micropython(name: str) -> None:
    assert run_micropython(str(BOARD / "phase_2_logs.py"), str(ROOT), name).splitlines() == golden(name)
