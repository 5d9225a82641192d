"""Log lines to events: the phase-2 document's own lines, the ROM's, MicroPython's, and anything else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.logs.events import LEVELS, LogEvent, read_line

PHASE_2 = [
    ("[POLL] ✓ Job recebido!", "job_received", {}),
    ("[POLL] Job 7 salvo em Flash para execução offline", "job_saved", {"job_id": 7}),
    ("[EXEC] Iniciando execução do job 7", "job_started", {"job_id": 7}),
    (
        "[EXEC] Item 1/4: Frasco 2 por 5.000s",
        "item_started",
        {"item": 1, "total": 4, "jar": 2, "seconds": 5.0},
    ),
    ("[EXEC] ✓ Item 1 concluído (real: 5.02s). Progresso salvo.", "item_done", {"item": 1, "real_s": 5.02}),
    ("[EXEC] Execução concluída em 23.45s", "job_executed", {"seconds": 23.45}),
    ("[REPORT] Enviando relatório do job 7", "report_started", {"job_id": 7}),
    ("[REPORT] ✓ Relatório enviado com sucesso!", "report_accepted", {}),
    ("[SETUP] Job anterior detectado, será retomado ao conectar", "pending_job_found", {}),
    ("[RESUME] ⚡ Job pendente detectado em Flash!", "pending_job_loaded", {}),
    ("[RESUME] Retomando job 7 (item 3/4)", "job_resumed", {"job_id": 7, "item": 3, "total": 4}),
    ("[REPORT] ✗ Falha ao reportar: HTTP 0", "report_failed", {"status": 0}),
    ("[REPORT] Mantendo job em Flash para retry posterior", "report_kept", {}),
    ("[LOOP] Tentando reportar job pendente...", "report_retried", {}),
]


FIRMWARE = [
    (
        "[SETUP] dispctl firmware 0.1.0 uid=esp-240ac4000001",
        "firmware_started",
        {"version": "0.1.0", "uid": "esp-240ac4000001"},
    ),
    (
        "[EXEC] ✗ Item 2 falhou: frasco 9 fora de 1 a 4. Progresso salvo.",
        "item_failed",
        {"item": 2, "error": "frasco 9 fora de 1 a 4"},
    ),
    (
        "[EXEC] ✓ Item 1 concluído (real: 5.02s). Progresso não salvo: 28.",
        "item_done",
        {"item": 1, "real_s": 5.02},
    ),
    (
        "[REPORT] Itens do job 7: 3 concluídos, 1 falhos",
        "report_counted",
        {"job_id": 7, "done": 3, "failed": 1},
    ),
    ("[REPORT] ⚠ Relatório recusado em definitivo: guardado em job_state.rejected", "report_rejected", {}),
]


@pytest.mark.parametrize(("text", "event", "fields"), PHASE_2 + FIRMWARE)
def test_every_line_of_the_phase_2_document_and_what_the_firmware_adds_is_known(
    text: str, event: str, fields: dict[str, Any]
) -> None:
    line = read_line(text)
    assert (line.event, dict(line.fields)) == (event, fields)
    assert f"[{line.tag}] {line.message}" == text


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("[EXEC] ✓ Item 1 concluído (real: 5.02s). Progresso salvo.", "info"),
        ("[EXEC] ✗ Item 1 falhou: frasco inválido. Progresso salvo.", "error"),
        ("[RESUME] ⚡ Job pendente detectado em Flash!", "warning"),
        ("[SETUP] ⚠ TLS sem verificação", "warning"),
        ('[CTL] {"id": 1, "ok": true}', "debug"),
        ("Traceback (most recent call last):", "error"),
        ("OSError: [Errno 5] EIO", "error"),
        ("invalid header: 0xffffffff", "error"),
        ("W (31) wifi: weak", "warning"),
        ("plain text", "info"),
    ],
)
def test_the_level_is_told_by_the_marks(text: str, level: str) -> None:
    assert read_line(text).level == level


def test_what_the_chip_prints_is_known() -> None:
    reset = read_line("rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)")
    assert (reset.tag, reset.event) == (None, "chip_reset")
    assert reset.fields == {"cause": "POWERON_RESET", "boot": "SPI_FAST_FLASH_BOOT"}
    assert read_line("MPY: soft reboot").event == "soft_reset"
    assert read_line("I (31) wifi: hello") == LogEvent("wifi", "info", "hello")


def test_a_tag_that_nobody_knows_is_a_tag() -> None:
    assert read_line("[MOTOR] 3 g") == LogEvent("MOTOR", "info", "3 g")


def test_a_known_line_with_something_after_it_is_not_that_line() -> None:
    assert read_line("[EXEC] Iniciando execução do job 7 e mais").event is None


@given(st.text() | st.from_regex(r"\[[A-Z]{1,9}\] .*") | st.sampled_from([text for text, _, _ in PHASE_2]))
def test_any_text_is_a_line_that_loses_nothing(text: str) -> None:
    line = read_line(text)
    assert line.level in LEVELS
    assert text.endswith(line.message)


@given(st.integers(1, 999), st.integers(1, 4), st.decimals("0.001", 180, places=3))
def test_the_numbers_of_an_item_come_through(item: int, jar: int, seconds: Any) -> None:
    line = read_line(f"[EXEC] Item {item}/{item}: Frasco {jar} por {seconds}s")
    assert line.fields == {"item": item, "total": item, "jar": jar, "seconds": float(seconds)}
