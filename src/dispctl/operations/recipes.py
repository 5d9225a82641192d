"""Find a recipe by what people call it, or by what it pours; pure."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from dispctl.errors import UsageError
from dispctl.operations.dose_plan import spice_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispctl.adapters.backend_records import Recipe, RecipeDraft


SHORTEST_PART = 3
MOST_SUGGESTIONS = 3


def find_recipe(recipes: Sequence[Recipe], wanted: str) -> Recipe:
    """The recipe with this id, or this name in any case; raises `UsageError`, with what may have been meant."""
    named = [recipe for recipe in recipes if spice_key(recipe.name) == spice_key(wanted)]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(str(recipe.id) for recipe in named)
        raise UsageError(f"{len(named)} recipes are called {wanted}.", hint=f"Give the id: one of {ids}.")
    for recipe in recipes:
        if wanted.isdecimal() and recipe.id == int(wanted):
            return recipe
    raise UsageError(f"There is no recipe {wanted}.", hint=_suggestion(recipes, wanted))


def identical_recipe(recipes: Sequence[Recipe], draft: RecipeDraft) -> Recipe | None:
    """The first recipe of this name that pours the same, None where there is none."""
    return next((recipe for recipe in recipes if _identity(recipe) == _identity(draft)), None)


def _identity(recipe: RecipeDraft) -> tuple[object, ...]:
    poured = tuple((spice_key(each.spice), round(each.grams, 1)) for each in recipe.ingredients)
    return (spice_key(recipe.name), recipe.portions, poured)


def _suggestion(recipes: Sequence[Recipe], wanted: str) -> str:
    by_key = {spice_key(recipe.name): recipe.name for recipe in recipes}
    key = spice_key(wanted)
    holding = [name for name in by_key if len(key) >= SHORTEST_PART and key in name]
    close = difflib.get_close_matches(key, by_key, n=MOST_SUGGESTIONS) or holding[:MOST_SUGGESTIONS]
    if close:
        return f"Did you mean {' or '.join(by_key[each] for each in close)}?"
    if not recipes:
        return "There are none yet; send one from a file or with --item SPICE=GRAMS."
    return "See dispctl recipes; a file's name ends in .toml, .json or .yaml."
