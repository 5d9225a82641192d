"""The four jars as the page shows them: what is in each, how full it looks, and whether it will do; pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dispctl.backend.mass import grams, micrograms
from dispctl.backend.plan import spice_key
from dispctl.backend.store.tables import JarRow, RecipeRow

JAR_NUMBERS = (1, 2, 3, 4)
VERSION_DIGITS = 16
# Nobody says how much a jar holds: the four are drawn to one of these, the first that is enough for the fullest.
SCALES_G = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class JarView:
    """One jar. `level_percent` is how full it is drawn; `low` tells that a recipe needs more than is left."""

    number: int
    spice: str | None
    rate_g_per_s: float | None
    stock_g: float | None
    scale_g: int
    low: bool
    version: str

    @property
    def level_percent(self) -> float:
        """How full it is drawn, from 0 to 100."""
        return 100 * (self.stock_g or 0) / self.scale_g

    @property
    def state(self) -> str:
        """``unused``, ``unknown`` (nobody keeps its stock), ``empty``, ``low`` or ``good``."""
        if self.spice is None:
            return "unused"
        if self.stock_g is None:
            return "unknown"
        if self.stock_g == 0:
            return "empty"
        return "low" if self.low else "good"


def view_jars(rows: Sequence[JarRow], recipes: Sequence[RecipeRow]) -> list[JarView]:
    """All four jars; those that nobody has set up are unused."""
    by_number = {row.number: row for row in rows}
    scale_g = _scale(rows)
    needs_ug = _largest_needs(recipes)
    return [_view(number, by_number.get(number), scale_g, needs_ug) for number in JAR_NUMBERS]


def version_of(row: JarRow | None) -> str:
    """What changes whenever the jar does: a form that was filled in before must not undo what happened since."""
    jar = row.as_jar() if row else None
    return hashlib.sha256(repr(jar).encode()).hexdigest()[:VERSION_DIGITS]


def _view(number: int, row: JarRow | None, scale_g: int, needs_ug: Mapping[str, int]) -> JarView:
    spice, stock_ug = (row.spice, row.stock_ug) if row else (None, None)
    return JarView(
        number=number,
        spice=spice,
        rate_g_per_s=row.grams_per_second if row else None,
        stock_g=None if stock_ug is None else grams(stock_ug),
        scale_g=scale_g,
        low=stock_ug is not None and stock_ug < needs_ug.get(spice_key(spice or ""), 0),
        version=version_of(row),
    )


def _scale(rows: Sequence[JarRow]) -> int:
    fullest_ug = max((row.stock_ug or 0 for row in rows), default=0)
    return next((scale for scale in SCALES_G if micrograms(scale) >= fullest_ug), SCALES_G[-1])


def _largest_needs(recipes: Sequence[RecipeRow]) -> dict[str, int]:
    """By spice, the most that a recipe takes of it for its own portions."""
    needs: dict[str, int] = {}
    for recipe in recipes:
        for ingredient in recipe.ingredients:
            key = spice_key(ingredient.spice)
            needs[key] = max(needs.get(key, 0), ingredient.quantity_ug)
    return needs
