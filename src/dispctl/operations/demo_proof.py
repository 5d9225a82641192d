"""What the demo has to prove, and whether it did: pure comparisons of what was asked with what is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispctl.adapters.backend_records import Jar, Job

FLOW_TOLERANCE_MS = 1000.0
"""What a power cut may pour again: one checkpoint interval (`docs/firmware.md`)."""
DOSE_TOLERANCE_MS = 500.0
"""What a jar may stay open longer or shorter without a cut, in board time: on a busy machine the board's fast clock runs
on while it waits for the processor. What a dose is held to on its own clock stands in `docs/firmware.md`."""


@dataclass(frozen=True)
class Comparison:
    """One line of the proof: `found` against `expected`, as a person reads them."""

    what: str
    expected: str
    found: str
    agrees: bool


@dataclass(frozen=True)
class Outcome:
    """What is found after the job, from three witnesses: the backend, the virtual board, the board's flash.

    `doses` is the virtual board's own report; `saved_job_id` is the job on the board's flash, None when there is none.
    """

    job: Job
    jars: Sequence[Jar]
    doses: dict[str, Any]
    saved_job_id: int | None


@dataclass(frozen=True)
class Asked:
    """What the job asked of every jar, and which jar was open when the power went; jars are numbered from 1."""

    jars: int
    grams: float
    rate_g_per_s: float
    stock_g_after: float
    cut_jar: int

    @property
    def open_ms(self) -> float:
        """How long a jar has to be open."""
        return self.grams / self.rate_g_per_s * 1000

    def dose(self, open_ms: float) -> str:
        """What `open_ms` pour, as a person reads it."""
        return f"{open_ms / 1000 * self.rate_g_per_s:.2f} g in {open_ms / 1000:.3f} s"


def prove(outcome: Outcome, asked: Asked) -> tuple[Comparison, ...]:
    """Every line of the proof."""
    done = sum(item.status == "done" for item in outcome.job.items)
    saved = "none" if outcome.saved_job_id is None else f"job {outcome.saved_job_id}"
    return (
        _equal("job's status", "done", outcome.job.status),
        _equal("items reported done", str(asked.jars), str(done)),
        *(_stock(jar, asked) for jar in outcome.jars),
        _cut(outcome.doses, asked.cut_jar),
        *(_dose(outcome.doses, jar, asked) for jar in range(1, asked.jars + 1)),
        _equal("job on the board's flash", "none", saved),
    )


def _equal(what: str, expected: str, found: str) -> Comparison:
    return Comparison(what, expected, found, expected == found)


def _stock(jar: Jar, asked: Asked) -> Comparison:
    found = "unknown" if jar.stock_g is None else f"{jar.stock_g:g} g"
    return _equal(f"stock in jar {jar.number} ({jar.spice})", f"{asked.stock_g_after:g} g", found)


def _cut(doses: dict[str, Any], jar: int) -> Comparison:
    causes = [str(opening["cause"]) for opening in doses["jars"][jar - 1]["openings"]]
    return _equal(f"what closed jar {jar}", "power, firmware", ", ".join(causes))


def _dose(doses: dict[str, Any], jar: int, asked: Asked) -> Comparison:
    found = doses["jars"][jar - 1]
    over_ms = found["total_ms"] - asked.open_ms
    most_ms = FLOW_TOLERANCE_MS if jar == asked.cut_jar else DOSE_TOLERANCE_MS
    agrees = not found["open"] and -DOSE_TOLERANCE_MS <= over_ms <= most_ms
    allowance = f", cut: at most {most_ms / 1000:g} s more" if jar == asked.cut_jar else ""
    shown = asked.dose(found["total_ms"]) + (", still open" if found["open"] else "")
    return Comparison(f"really poured from jar {jar}", asked.dose(asked.open_ms) + allowance, shown, agrees)
