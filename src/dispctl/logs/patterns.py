r"""The lines that are known, by tag: an event's name and the pattern of the message after the tag.

A named group is a field of the event; fields are whole numbers but for those in `TEXT_FIELDS`
and `SECONDS_FIELDS`. Numbers are matched with
``[0-9]`` and bounded: ``\d`` would take digits of other scripts, and a line is not to make a number of any length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TEXT_FIELDS = frozenset({"error", "version", "uid", "cause", "boot", "ssid", "address", "file", "function"})
SECONDS_FIELDS = frozenset({"seconds", "real_s"})

_WHOLE = r"[0-9]{1,9}"
_DECIMAL = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_NAME = re.compile(r"\(\?P<\w+>")


@dataclass(frozen=True)
class KnownLines:
    """The lines of one tag: an event's name and the pattern of its line, and one pattern that fits any of them."""

    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    any_of_them: re.Pattern[str]


def _compile(*lines: tuple[str, str]) -> KnownLines:
    texts = {event: text.replace("<n>", _WHOLE).replace("<s>", _DECIMAL) for event, text in lines}
    nameless = [_NAME.sub("(?:", text) for text in texts.values()]
    return KnownLines(
        tuple((event, re.compile(text)) for event, text in texts.items()), re.compile("|".join(nameless))
    )


KNOWN_LINES: dict[str | None, KnownLines] = {
    "SETUP": _compile(
        ("firmware_started", r"dispctl firmware (?P<version>\S+) uid=(?P<uid>\S+)(?: reset=(?P<cause>\S+))?"),
        ("pending_job_found", r"Job anterior detectado, será retomado ao conectar"),
    ),
    "POLL": _compile(
        ("job_received", r"✓ Job recebido!"),
        ("job_saved", r"Job (?P<job_id><n>) salvo em Flash para execução offline"),
    ),
    "EXEC": _compile(
        ("job_started", r"Iniciando execução do job (?P<job_id><n>)"),
        ("item_started", r"Item (?P<item><n>)/(?P<total><n>): Frasco (?P<jar><n>) por (?P<seconds><s>)s"),
        (
            "item_done",
            r"✓ Item (?P<item><n>) concluído \(real: (?P<real_s><s>)s\)\. Progresso (?:não )?salvo.*",
        ),
        ("item_failed", r"✗ Item (?P<item><n>) falhou: (?P<error>.*)\. Progresso (?:não )?salvo.*"),
        ("job_executed", r"Execução concluída em (?P<seconds><s>)s"),
    ),
    "RESUME": _compile(
        ("pending_job_loaded", r"⚡ Job pendente detectado em Flash!"),
        ("job_resumed", r"Retomando job (?P<job_id><n>) \(item (?P<item><n>)/(?P<total><n>)\)"),
    ),
    "REPORT": _compile(
        ("report_started", r"Enviando relatório do job (?P<job_id><n>)"),
        ("report_counted", r"Itens do job (?P<job_id><n>): (?P<done><n>) concluídos, (?P<failed><n>) falhos"),
        ("report_accepted", r"✓ Relatório enviado com sucesso!"),
        ("report_failed", r"✗ Falha ao reportar: HTTP (?P<status><n>).*"),
        ("report_rejected", r"⚠ Relatório recusado em definitivo.*"),
        ("report_kept", r"Mantendo job em Flash para retry posterior"),
    ),
    "WIFI": _compile(
        ("wifi_started", r"Conectando a (?P<ssid>.*)\.\.\."),
        ("wifi_joined", r"✓ Conectado a (?P<ssid>.*): (?P<address>\S+)"),
        ("wifi_failed", r"✗ Sem conexão com (?P<ssid>.*): (?P<error>[^:]+)"),
        ("wifi_lost", r"✗ Conexão perdida"),
    ),
    "CLAIM": _compile(
        ("claim_started", r"Registrando no backend\.\.\."),
        ("claim_accepted", r"✓ Registrado"),
        ("claim_failed", r"✗ Registro falhou: HTTP (?P<status><n>)"),
    ),
    "LOOP": _compile(("report_retried", r"Tentando reportar job pendente\.\.\.")),
    None: _compile(
        ("chip_reset", r"rst:0x[0-9a-f]+ \((?P<cause>\w+)\),boot:0x[0-9a-f]+ \((?P<boot>[^)]*)\)"),
        (
            "boot_detail",
            r"ets [A-Z][a-z]{2} .*|configsip: .*|clk_drv:.*|mode:\w+, clock div:.*|(?:load|entry|csum|ho) ?:?[0-9].*",
        ),
        ("flash_blank", r"invalid header: 0xffffffff"),
        ("download_mode", r"waiting for download"),
        ("soft_reset", r"MPY: soft reboot"),
        ("traceback_began", r"Traceback \(most recent call last\):"),
        ("traceback_frame", r'  File "(?P<file>[^"]*)", line (?P<line><n>)(?:, in (?P<function>.*))?'),
        ("crashed", r"Guru Meditation Error: .*"),
    ),
}
