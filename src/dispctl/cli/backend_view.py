"""How jars, jobs and plans look on a terminal."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from dispctl.adapters.backend_records import moment
from dispctl.operations.follow_job import status_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispctl.adapters.backend_records import Jar, Job, Recipe
    from dispctl.operations.dose_plan import DosePlan

UNKNOWN = "-"
STATUS_STYLES = {
    "done": "green",
    "done_partial": "yellow",
    "failed": "red",
    "canceled": "dim",
    "running": "cyan",
}
STATUS_SIGNS = {"done": "✓", "done_partial": "⚠", "failed": "✗", "canceled": "✗"}
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def plain_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table without a frame; columns named in `right` hold numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left")
    return table


def status_text(status: str) -> Text:
    """A status in words, with its sign and colour."""
    sign = STATUS_SIGNS.get(status)
    words = status_words(status)
    return Text(f"{sign} {words}" if sign else words, style=STATUS_STYLES.get(status, ""))


def since(text: str | None) -> str:
    """How long ago a moment of the backend was."""
    if text is None:
        return UNKNOWN
    try:
        then = moment(text)
    except ValueError:
        return text
    seconds = int((datetime.now(timezone.utc) - then).total_seconds())
    unit, length = next(((name, size) for name, size in _UNITS if seconds >= size), ("s", 1))
    return f"{seconds // length} {unit} ago" if seconds > 0 else "now"


def jars_table(jars: Sequence[Jar]) -> Table:
    """A row a jar."""
    table = plain_table("Jar", "Spice", "Rate", "Stock", "Changed", right=("Rate", "Stock"))
    for jar in jars:
        table.add_row(
            str(jar.number),
            jar.spice or UNKNOWN,
            quantity(jar.rate_g_per_s, "g/s"),
            quantity(jar.stock_g, "g"),
            since(jar.updated_at),
        )
    return table


def plan_table(plan: DosePlan) -> Table:
    """A row a step; what cannot be known is a hyphen."""
    table = plain_table(
        "Jar", "Spice", "Amount", "Time", "Stock after", right=("Amount", "Time", "Stock after")
    )
    for pour in plan.pours:
        short = pour.stock_after_g is not None and pour.stock_after_g < 0
        table.add_row(
            UNKNOWN if pour.jar is None else str(pour.jar),
            pour.spice,
            quantity(pour.grams, "g"),
            UNKNOWN if pour.duration_s is None else f"{pour.duration_s:.1f} s",
            Text(quantity(pour.stock_after_g, "g"), style="red" if short else ""),
        )
    return table


def job_table(job: Job) -> Table:
    """A row a step of a job; a reason stands behind its status."""
    table = plain_table("Step", "Jar", "Spice", "Amount", "Time", "Status", right=("Step", "Amount", "Time"))
    for item in job.items:
        status = status_text(item.status)
        if item.error:
            status = Text.assemble(status, f": {item.error}")
        table.add_row(
            f"{item.position}/{len(job.items)}",
            str(item.jar),
            item.spice,
            quantity(item.grams, "g"),
            f"{item.duration_s:.1f} s",
            status,
        )
    return table


def job_line(job: Job) -> Text:
    """A job in one line."""
    people = "1 person" if job.people == 1 else f"{job.people} people"
    line = Text.assemble(f"Job {job.id} for {people}: ", status_text(job.status))
    if job.error:
        line.append(f" ({job.error.rstrip('.')})")
    elif job.started_at and not job.ended:
        line.append(f" (started {since(job.started_at)})")
    return line


def jobs_table(jobs: Sequence[Job]) -> Table:
    """A row a job."""
    table = plain_table("Job", "Status", "People", "Pours", "Made", right=("Job", "People"))
    for job in jobs:
        pours = ", ".join(f"{item.spice} {quantity(item.grams, 'g')}" for item in job.items)
        table.add_row(str(job.id), status_text(job.status), str(job.people), pours, since(job.created_at))
    return table


def recipes_table(recipes: Sequence[Recipe]) -> Table:
    """A row a recipe."""
    table = plain_table("Id", "Recipe", "Portions", "Ingredients", right=("Id", "Portions"))
    for recipe in recipes:
        amounts = ", ".join(f"{each.spice} {quantity(each.grams, 'g')}" for each in recipe.ingredients)
        table.add_row(str(recipe.id), recipe.name, str(recipe.portions), amounts)
    return table


def quantity(number: float | None, unit: str) -> str:
    """A number to two places without closing zeros, and its unit."""
    if number is None:
        return UNKNOWN
    digits = f"{number:.2f}".rstrip("0").rstrip(".")
    return f"{digits} {unit}"
