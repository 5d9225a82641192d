"""How a board stands, as its log tells it."""

import pytest

from dispctl.logs.board_status import BoardStatus
from dispctl.logs.events import read_line

ITEM = ["[EXEC] Iniciando execução do job 7", "[EXEC] Item 3/4: Frasco 2 por 5.000s"]


@pytest.mark.parametrize(
    ("texts", "summary"),
    [
        ([], "no job seen · network not seen"),
        (ITEM, "job 7, item 3/4, jar 2: 3.0 s left · network not seen"),
        (ITEM[1:], "a job, item 3/4, jar 2: 3.0 s left · network not seen"),
        (
            [*ITEM, "[EXEC] ✓ Item 3 concluído (real: 5.02s). Progresso salvo."],
            "job 7, item 3/4 · network not seen",
        ),
        (["[WIFI] Conectando a Cozinha..."], "no job seen · joining Cozinha"),
        (["[WIFI] ✓ Conectado a Cozinha: 10.0.0.7", *ITEM[:1]], "job 7 · ✓ Cozinha"),
        (
            ["[WIFI] ✓ Conectado a Cozinha: 10.0.0.7", "[WIFI] ✗ Conexão perdida"],
            "no job seen · ✗ Cozinha lost",
        ),
        (["[WIFI] ✗ Sem conexão com Sala: wrong_password"], "no job seen · ✗ Sala"),
        ([*ITEM, "[REPORT] ✓ Relatório enviado com sucesso!"], "job 7 done · network not seen"),
        (
            [
                *ITEM,
                "[EXEC] ✗ Item 3 falhou: x. Progresso salvo.",
                "[REPORT] ✓ Relatório enviado com sucesso!",
            ],
            "job 7 ended with failures · network not seen",
        ),
        (
            [
                "[WIFI] ✓ Conectado a Cozinha: 10.0.0.7",
                "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)",
            ],
            "no job seen · network not seen",
        ),
    ],
)
def test_a_summary_says_what_is_known(texts: list[str], summary: str) -> None:
    status = BoardStatus()
    for text in texts:
        status = status.after(read_line(text), 100.0)
    assert status.summary(102.0) == summary


def test_time_left_is_never_less_than_none() -> None:
    status = BoardStatus().after(read_line(ITEM[1]), 100.0)
    assert "0.0 s left" in status.summary(200.0)
