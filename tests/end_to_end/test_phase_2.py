"""The four manual tests of phase 2, by the real commands on real parts; jars, report and log are judged by the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Board, Workshop
    from tests.end_to_end.processes import Running

pytestmark = pytest.mark.micropython

ASKED_MS = 5000
FLOW_TOLERANCE_MS = 1000  # one checkpoint interval may be poured again


def expect_in_order(log: Running, *lines: str, after: int = 0) -> int:
    """Wait for each of `lines` behind the one before; returns the last one's index."""
    position = after - 1
    for line in lines:
        position = log.wait_for(line, after=position + 1)
    return position


def assert_poured_and_reported(workshop: Workshop, board: Board, job_id: int) -> None:
    """Every item poured as asked, reported once, taken off once."""
    job = workshop.job(job_id)
    assert job["status"] == "done"
    assert [(item["frasco"], item["status"]) for item in job["itens"]] == [(n, "done") for n in (1, 2, 3, 4)]
    assert workshop.stock() == [90, 90, 90, 90]
    for poured_ms in board.poured_ms():
        assert abs(poured_ms - ASKED_MS) <= FLOW_TOLERANCE_MS


def assert_nothing_saved(workshop: Workshop, board: Board) -> None:
    """No job is left on the board's flash."""
    assert workshop.dispctl.json("inspect-flash", "--port", board.port)["job_id"] is None


def test_normal_run(workshop: Workshop, board: Board) -> None:
    with board.monitor() as log:
        job = workshop.send_job()
        expect_in_order(
            log,
            "[POLL] ✓ Job recebido!",
            f"[POLL] Job {job} salvo em Flash para execução offline",
            f"[EXEC] Iniciando execução do job {job}",
            "[EXEC] Item 1/4: Frasco 1 por 5.000s",
            "[EXEC] ✓ Item 1 concluído (real: 5.",
            "[EXEC] Item 4/4: Frasco 4 por 5.000s",
            "[EXEC] ✓ Item 4 concluído (real: 5.",
            "[EXEC] Execução concluída em ",
            f"[REPORT] Enviando relatório do job {job}",
            "[REPORT] ✓ Relatório enviado com sucesso!",
        )
    assert_poured_and_reported(workshop, board, job)
    assert_nothing_saved(workshop, board)


def test_wifi_goes_during_execution(workshop: Workshop, board: Board) -> None:
    with board.monitor() as log:
        job = workshop.send_job()
        second = expect_in_order(log, "[EXEC] ✓ Item 1", "[EXEC] ✓ Item 2")
        board.wifi(on=False)
        fourth = expect_in_order(log, "[EXEC] ✓ Item 3", "[EXEC] ✓ Item 4", after=second)
        assert not [line for line in log.lines if "[REPORT] ✓" in line]
        board.wifi(on=True)
        expect_in_order(log, "[REPORT] ✓ Relatório enviado com sucesso!", after=fourth)
    assert_poured_and_reported(workshop, board, job)
    assert_nothing_saved(workshop, board)


def test_reset_in_the_middle_of_item_3(workshop: Workshop, board: Board) -> None:
    with board.monitor() as log:
        job = workshop.send_job()
        third = expect_in_order(log, "[EXEC] Item 3/4: Frasco 3")
        board.press_reset()
        expect_in_order(
            log,
            "[SETUP] Job anterior detectado, será retomado ao conectar",
            "[RESUME] ⚡ Job pendente detectado em Flash!",
            f"[RESUME] Retomando job {job} (item 3/4)",
            "[EXEC] ✓ Item 3",
            "[EXEC] ✓ Item 4",
            "[REPORT] ✓ Relatório enviado com sucesso!",
            after=third,
        )
        assert not [
            line for line in log.lines[third + 1 :] if "[EXEC] ✓ Item 1" in line or "[EXEC] ✓ Item 2" in line
        ]
    assert_poured_and_reported(workshop, board, job)
    assert_nothing_saved(workshop, board)


def test_report_is_refused_then_retried(workshop: Workshop, board: Board) -> None:
    workshop.gateway.block(r"POST .*/complete$")
    with board.monitor() as log:
        job = workshop.send_job()
        failed = expect_in_order(
            log,
            "[REPORT] ✗ Falha ao reportar: HTTP 0",
            "[REPORT] Mantendo job em Flash para retry posterior",
        )
        assert workshop.stock() == [100, 100, 100, 100]
        workshop.gateway.unblock()
        expect_in_order(
            log,
            "[LOOP] Tentando reportar job pendente...",
            "[REPORT] ✓ Relatório enviado com sucesso!",
            after=failed,
        )
    assert_poured_and_reported(workshop, board, job)
    assert_nothing_saved(workshop, board)
