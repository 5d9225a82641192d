"""What the board tells of itself: the answer to `status`, and at its start what is wrong with its settings."""

from .settings import restless_pins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .job_state import JobState
    from .parts import Parts


def tell_findings(parts: "Parts") -> None:
    """A line of the log for each thing that whoever set the board up should know."""
    if parts.settings.finding:
        parts.console.log("SETUP", f"✗ {parts.settings.finding}")
    if parts.outputs.absent:
        parts.console.log("SETUP", "⚠ Nenhum atuador gravado: nenhuma saída é acionada")
    restless = restless_pins(parts.settings["actuator"])
    if restless:
        pins = ", ".join([str(pin) for pin in restless])
        parts.console.log("SETUP", f"⚠ GPIO {pins} muda de nível enquanto a placa liga: um frasco pode abrir")
    if parts.settings["tls_insecure"]:
        parts.console.log("SETUP", "⚠ Certificados TLS não são verificados (tls_insecure)")
    if parts.backend.checks_certificate:
        date = parts.certificate_clock.date()
        parts.console.log("SETUP", f"Certificados TLS: valem os de {date}, até que alguém diga a hora")


def describe_status(parts: "Parts", job: "JobState | None") -> "dict[str, Any]":
    """As far as the parts and the job know it; the dispenser adds what it is doing."""
    index = job.next_item() if job else -1
    return {
        "job": job.job.id if job else None,
        "item": index + 1 if index >= 0 else None,
        "total": job.total if job else None,
        "poured_ms": job.poured_ms[index] if job and index >= 0 else None,
        "asked_ms": job.job.items[index].asked_ms if job and index >= 0 else None,
        "pouring": parts.pouring,
        "unclosed": parts.outputs.unclosed,
        "pending_report": bool(job and index < 0),
        "wifi": parts.wifi.describe(),
        "backend": {
            "url": parts.settings["backend_url"],
            "reached": parts.backend.reached,
            "claimed": parts.backend.claimed,
            "error": parts.backend.error,
        },
        "uid": parts.system.uid,
        "mac": parts.system.mac,
        "free_heap": parts.system.free_heap(),
        "uptime_ms": parts.clock.uptime_ms(),
        "reset_cause": parts.system.reset_cause,
    }
