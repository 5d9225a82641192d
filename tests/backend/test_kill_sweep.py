"""A few kills of the sweep that `tests.backend.kill_sweep` makes at length."""

from pathlib import Path

from tests.backend.conftest import ON_BOTH
from tests.backend.kill_sweep import sweep


@ON_BOTH
def test_a_server_that_is_killed_under_load_loses_nothing(database_url: str, tmp_path: Path) -> None:
    told = sweep(database_url, tmp_path, kills=3)

    assert told.problems == []
    assert len(told.accepted) >= 3
