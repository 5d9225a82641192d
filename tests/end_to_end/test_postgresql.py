"""The product with its backend on PostgreSQL, in a normal run; `--backend-database postgresql` has every test on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conftest import copy_of_board, new_database, opened_workshop, provision_board
from tests.end_to_end.test_phase_2 import assert_nothing_saved, assert_poured_and_reported, expect_in_order

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.micropython


def test_a_blank_board_pours_a_job_through_a_power_cut(tmp_path: Path) -> None:
    with new_database("postgresql", tmp_path) as url, opened_workshop(tmp_path, url) as workshop:
        flash = provision_board(workshop)
        with copy_of_board(workshop, flash, tmp_path, "postgresql", "24:6f:28:00:00:01") as board:
            with board.monitor() as log:
                job = workshop.send_job()
                third = expect_in_order(log, "[EXEC] Item 3/4: Frasco 3")
                board.cycle_power()
                expect_in_order(
                    log,
                    f"[RESUME] Retomando job {job} (item 3/4)",
                    "[EXEC] ✓ Item 4",
                    "[REPORT] ✓ Relatório enviado com sucesso!",
                    after=third,
                )
            assert_poured_and_reported(workshop, board, job)
            assert_nothing_saved(workshop, board)
