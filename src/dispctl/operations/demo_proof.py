"""What the demo has to prove, and whether it did: pure comparisons of what was asked with what is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispctl.adapters.backend_records import Jar, Job

FLOW_TOLERANCE_MS = 1000.0
"""What a power cut may pour again: one checkpoint interval (`docs/firmware.md`)."""
DOSE_TOLERANCE_MS = 150.0
"""What a jar may stay open longer or shorter without a cut, in board time, on a busy machine."""


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


def prove(
    outcome: Outcome, *, asked_ms: Sequence[float], stock_g: float, cut_jar: int
) -> tuple[Comparison, ...]:
    """Every line of the proof, for jars 1 to n asked to be open for `asked_ms` and to hold `stock_g` afterwards."""
    return (
        _equal("job's status", "done", outcome.job.status),
        _equal("items reported done", len(asked_ms), sum(item.status == "done" for item in outcome.job.items)),
        *(_equal(f"stock in jar {jar.number} ({jar.spice})", f"{stock_g:g} g", f"{jar.stock_g or 0:g} g") for jar in outcome.jars),
        _cut(outcome.doses, cut_jar),
        *(_dose(outcome.doses, jar, asked, cut=jar == cut_jar) for jar, asked in enumerate(asked_ms, start=1)),
        _equal("job on the board's flash", "none", "none" if outcome.saved_job_id is None else outcome.saved_job_id),
    )  # fmt: skip


def _equal(what: str, expected: object, found: object) -> Comparison:
    return Comparison(what, str(expected), str(found), expected == found)


def _cut(doses: dict[str, Any], jar: int) -> Comparison:
    causes = [opening["cause"] for opening in doses["jars"][jar - 1]["openings"]]
    return Comparison(
        f"what closed jar {jar}",
        "power, firmware",
        ", ".join(map(str, causes)),
        causes == ["power", "firmware"],
    )


def _dose(doses: dict[str, Any], jar: int, asked_ms: float, *, cut: bool) -> Comparison:
    found = doses["jars"][jar - 1]
    over_ms = found["total_ms"] - asked_ms
    most_ms = FLOW_TOLERANCE_MS if cut else DOSE_TOLERANCE_MS
    agrees = not found["open"] and -DOSE_TOLERANCE_MS <= over_ms <= most_ms
    expected = f"{asked_ms / 1000:.3f} s" + (
        f" (at most {most_ms / 1000:g} s more: it was cut)" if cut else ""
    )
    shown = f"{found['total_ms'] / 1000:.3f} s" + (", still open" if found["open"] else "")
    return Comparison(f"jar {jar} really open", expected, shown, agrees)
