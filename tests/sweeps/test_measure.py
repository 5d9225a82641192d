"""The promise of `measure` that does not depend on how busy this machine is: bytes, not seconds."""

from pathlib import Path

import pytest

from tests.sweeps.measure import FILES_LENGTH, Bench, board_with_sixty_files, inspect_counted

pytestmark = pytest.mark.micropython


def test_a_saved_job_is_found_in_a_twentieth_of_the_partition(tmp_path: Path) -> None:
    bench = Bench(tmp_path, paced=False)
    with bench.board(board_with_sixty_files()) as cable:
        _, read_bytes = inspect_counted(bench, cable, 921_600)
    assert read_bytes * 20 <= FILES_LENGTH
