"""From a recipe and the jars to what will be poured, and to every reason why not; pure.

``seconds = grams of the recipe x people / portions / grams a second`` (`design/contract.md`).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispctl.adapters.backend_records import MAX_PEOPLE
from dispctl.errors import BackendRefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispctl.adapters.backend_records import Ingredient, Jar, Job, RecipeDraft

MAX_STEP_S = 180.0
"""The board pours no longer than this from one jar (`MAX_STEP_MS` of the phase-2 document)."""

GRAMS_TOLERANCE = 0.05
CONFLICT = 409
_ROUNDING_G = 1e-6


@dataclass(frozen=True)
class PlannedPour:
    """One step; `jar`, `duration_s` and `stock_after_g` are None where they cannot be known."""

    spice: str
    grams: float
    jar: int | None
    duration_s: float | None
    stock_after_g: float | None

    def to_json(self) -> dict[str, Any]:
        """The step under the backend's names, as a job's items have them."""
        return {
            "frasco": self.jar,
            "tempero": self.spice,
            "quantidade_g": self.grams,
            "segundos": self.duration_s,
            "estoque_depois_g": self.stock_after_g,
        }


@dataclass(frozen=True)
class DosePlan:
    """The steps in the recipe's order; `problems` are whole sentences, empty if the job can be sent."""

    pours: tuple[PlannedPour, ...]
    problems: tuple[str, ...]

    def check(self) -> None:
        """Raise `BackendRefusedError` (409, as the backend would answer) with the sentences, if there are any."""
        if self.problems:
            raise BackendRefusedError(
                " ".join(self.problems),
                status=CONFLICT,
                hint="Nothing was sent. See dispctl jars; change one with dispctl jars set.",
            )


def spice_key(name: str) -> str:
    """What two spellings of one spice have in common: neither case nor outer blanks count."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def plan(recipe: RecipeDraft, people: int, jars: Sequence[Jar]) -> DosePlan:
    """What the job will pour; raises `UsageError` for a number of people that no job can have."""
    if not 1 <= people <= MAX_PEOPLE:
        raise UsageError(f"A job is for 1 to {MAX_PEOPLE} people, not {people}.")
    jar_of = _jars_by_spice(jars)
    left_g = {jar.number: jar.stock_g for jar in jars}
    needed_g: defaultdict[int, float] = defaultdict(float)
    pours, problems = [], []
    for ingredient in recipe.ingredients:
        jar = jar_of.get(spice_key(ingredient.spice))
        pour = _pour(ingredient, people / recipe.portions, jar, left_g)
        pours.append(pour)
        problems += _step_problems(pour, jar, jars)
        if jar is not None:
            needed_g[jar.number] += pour.grams
    problems += [sentence for jar in jars for sentence in _stock_problems(jar, needed_g[jar.number])]
    return DosePlan(tuple(pours), tuple(problems))


def differences(plan: DosePlan, job: Job) -> list[str]:
    """Where the backend made another job of it than was shown; the deployed one cuts grams to whole ones."""
    if len(plan.pours) != len(job.items):
        return [f"The job has {len(job.items)} steps, {len(plan.pours)} were planned."]
    return [
        f"{item.spice}: {pour.grams:g} g were planned, the job has {item.grams:g} g from jar {item.jar}."
        for pour, item in zip(plan.pours, job.items, strict=True)
        if pour.jar != item.jar or abs(pour.grams - item.grams) > GRAMS_TOLERANCE
    ]


def _jars_by_spice(jars: Sequence[Jar]) -> dict[str, Jar]:
    by_spice: dict[str, Jar] = {}
    for jar in sorted(jars, key=lambda jar: jar.number):
        if jar.spice:
            by_spice.setdefault(spice_key(jar.spice), jar)
    return by_spice


def _pour(
    ingredient: Ingredient, factor: float, jar: Jar | None, left_g: dict[int, float | None]
) -> PlannedPour:
    """One step; takes its grams off `left_g`."""
    grams = ingredient.grams * factor
    if jar is None:
        return PlannedPour(ingredient.spice, grams, None, None, None)
    left = left_g[jar.number]
    after_g = None if left is None else left - grams
    left_g[jar.number] = after_g
    duration_s = None if jar.rate_g_per_s is None else grams / jar.rate_g_per_s
    return PlannedPour(ingredient.spice, grams, jar.number, duration_s, after_g)


def _step_problems(pour: PlannedPour, jar: Jar | None, jars: Sequence[Jar]) -> list[str]:
    if jar is None:
        near = difflib.get_close_matches(pour.spice, [each.spice for each in jars], n=1)
        return [f"No jar holds {pour.spice}." + (f" Did you mean {near[0]}?" if near else "")]
    if pour.duration_s is None:
        return [f"Jar {jar.number} ({jar.spice}) has no calibration."]
    if pour.duration_s <= MAX_STEP_S:
        return []
    sentence = (
        f"Jar {jar.number} ({jar.spice}) would be open for {pour.duration_s:.1f} s "
        f"({pour.grams:g} g at {jar.rate_g_per_s:g} g/s); a step takes at most {MAX_STEP_S:g} s."
    )
    return [sentence]


def _stock_problems(jar: Jar, needed_g: float) -> list[str]:
    if jar.stock_g is None or needed_g <= jar.stock_g + _ROUNDING_G:
        return []
    sentence = (
        f"Jar {jar.number} ({jar.spice}) has not enough stock: "
        f"{needed_g:g} g are needed, {jar.stock_g:g} g are left."
    )
    return [sentence]
