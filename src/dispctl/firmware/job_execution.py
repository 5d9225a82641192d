"""A job poured item by item without the network, then reported. Prints phase 2's lines; knows no timing of its own."""

from . import job_persistence as persistence
from .backend import is_final
from .job_state import ABORTED, DONE, INTERRUPTED, INVALID, RUNNING, JobState
from .pour import Pour
from .watchdog import POURING_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .console import Console
    from .parts import Parts

ATTEMPTS_LIMIT = 8  # without getting on: then it is the pouring itself that interrupts it
UNCLOSED_LIMIT_MS = 12_000
_SLICE_MS = 100


def execute_job_offline_with_persistence(
    parts: "Parts", state: JobState, between: "Callable[[], None]"
) -> None:
    """Pour every item that has no result yet; `between` is called after each. Each result is saved at once."""
    parts.console.log("EXEC", f"Iniciando execução do job {state.job.id}")
    began_ms = parts.clock.uptime_ms()
    while True:
        index = state.next_item()
        if index < 0:
            break
        add_to_execution_log(parts, state, index, _execute_item(parts, state, index))
        between()
    parts.abort_requested = False
    seconds = (parts.clock.uptime_ms() - began_ms) / 1000
    parts.console.log("EXEC", f"Execução concluída em {seconds:.2f}s")


def add_to_execution_log(parts: "Parts", state: JobState, index: int, code: int) -> None:
    """Save an item's result, then say so. A flash that refuses does not stop the job; the line tells."""
    state.codes[index] = code
    saved = "Progresso salvo."
    try:
        persistence.save_item(parts.storage, state, index)
        parts.retained.write(b"")
    except OSError as error:
        saved = f"Progresso não salvo: {error}."
    if code == DONE:
        text = f"✓ Item {index + 1} concluído (real: {state.poured_ms[index] / 1000:.2f}s). {saved}"
    else:
        text = f"✗ Item {index + 1} falhou: {state.error(index)}. {saved}"
    parts.console.log("EXEC", text)


def try_resume_job_from_flash(parts: "Parts") -> "JobState | None":
    """At boot: the job that was under way, if any, after `on_interrupted` was applied to its item."""
    hung_ms = POURING_MS if parts.system.reset_cause == "watchdog" else 0
    state, finding = persistence.load_job(parts.storage, parts.retained, hung_ms)
    if finding:
        parts.console.log("PERSIST", f"✗ Estado salvo ilegível: {finding}")
    if state is None:
        return None
    if state.next_item() < 0 and persistence.is_finished(parts.storage, state.job):
        persistence.clear_job(
            parts.storage, parts.retained, state
        )  # the power was cut while it was being cleared
        return None
    parts.console.log("SETUP", "Job anterior detectado, será retomado ao conectar")
    index = state.next_item()
    if index >= 0 and state.codes[index] == RUNNING:
        if state.is_poured(index):
            add_to_execution_log(parts, state, index, DONE)
        elif parts.settings["on_interrupted"] == "fail" or _given_up(parts, state, index):
            add_to_execution_log(parts, state, index, INTERRUPTED)
    return state


def _given_up(parts: "Parts", state: JobState, index: int) -> bool:
    """Whether the item was interrupted so often without getting on that it would be poured for ever."""
    if state.attempts[index] < ATTEMPTS_LIMIT:
        return False
    parts.console.log(
        "EXEC", f"✗ Item {index + 1} interrompido {state.attempts[index]} vezes seguidas sem avançar"
    )
    return True


def announce_resumption(parts: "Parts", state: JobState) -> None:
    """Phase 2's lines on a job that was found in flash."""
    parts.console.log("RESUME", "⚡ Job pendente detectado em Flash!")
    index = state.next_item()
    if index >= 0:
        parts.console.log("RESUME", f"Retomando job {state.job.id} (item {index + 1}/{state.total})")


def report_job_completion(parts: "Parts", state: JobState) -> bool:
    """Send the results; whether the job is over (accepted, or refused for good). Else it stays in flash."""
    console = parts.console
    if state.job.local:
        return _keep_local_results(parts, state)
    console.log("REPORT", f"Enviando relatório do job {state.job.id}")
    count_items(console, state)
    answer = parts.backend.complete(state)
    try:
        if answer.ok:
            persistence.clear_job(parts.storage, parts.retained, state)
            console.log("REPORT", "✓ Relatório enviado com sucesso!")
            return True
        console.log("REPORT", f"✗ Falha ao reportar: HTTP {answer.status}")
        if is_final(answer.status):
            reason = answer.text()
            persistence.reject_job(parts.storage, parts.retained, state, answer.status, reason)
            console.log("REPORT", "⚠ Relatório recusado em definitivo: guardado em job_state.rejected")
            return True
    except OSError as error:
        console.log("PERSIST", f"✗ Flash: {error}")
    console.log("REPORT", "Mantendo job em Flash para retry posterior")
    return False


def count_items(console: "Console", state: JobState) -> None:
    """How the whole job went, in one line: who watches may have missed how its first items ended."""
    console.log("REPORT", f"Itens do job {state.job.id}: {state.done} concluídos, {state.failed} falhos")


def _keep_local_results(parts: "Parts", state: JobState) -> bool:
    try:
        persistence.keep_local_job(parts.storage, parts.retained, state)
    except OSError as error:
        parts.console.log("PERSIST", f"✗ Flash: {error}")
        return False
    parts.console.log("REPORT", f"Job local {state.job.id}: resultado guardado em job_state.local")
    return True


def _wait_for_jars(parts: "Parts") -> None:
    """While a jar may be open no other is opened: for long enough to see whether a reset helps, then the item fails."""
    while parts.outputs.unclosed and parts.outputs.unclosed_ms < UNCLOSED_LIMIT_MS:
        parts.watchdog.allow(UNCLOSED_LIMIT_MS)
        parts.idle.wait_ms(_SLICE_MS)


def _execute_item(parts: "Parts", state: JobState, index: int) -> int:
    item = state.job.items[index]
    if item.error:
        return INVALID
    _wait_for_jars(parts)
    if parts.abort_requested:
        return ABORTED
    left_s = (item.asked_ms - state.poured_ms[index]) / 1000
    parts.console.log("EXEC", f"Item {index + 1}/{state.total}: Frasco {item.frasco} por {left_s:.3f}s")
    return Pour(parts, state, index).run()
