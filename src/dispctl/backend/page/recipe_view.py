"""Recipes as the page shows them: what they take, from which jar, and why the jars cannot serve them; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from dispctl.backend.mass import grams
from dispctl.backend.plan import plan_items, spice_key
from dispctl.backend.refusals import ConflictError
from dispctl.backend.store.tables import JarRow, RecipeRow


@dataclass(frozen=True)
class IngredientView:
    """So much of a spice for the recipe's own portions; `jar` is None where no jar holds it."""

    spice: str
    mass_g: float
    jar: int | None


@dataclass(frozen=True)
class RecipeView:
    """A recipe; `problem` is why it cannot be poured for its own portions at present."""

    id: int
    name: str
    portions: int
    ingredients: list[IngredientView]
    problem: ConflictError | None


def view_recipes(recipes: Sequence[RecipeRow], jars: Sequence[JarRow]) -> list[RecipeView]:
    """The recipes by name."""
    jar_of = {spice_key(jar.spice): jar.number for jar in reversed(jars) if jar.spice}
    views = [
        RecipeView(
            id=recipe.id,
            name=recipe.name,
            portions=recipe.portions,
            ingredients=[
                IngredientView(row.spice, grams(row.quantity_ug), jar_of.get(spice_key(row.spice)))
                for row in recipe.ingredients
            ],
            problem=_problem(recipe, jars),
        )
        for recipe in recipes
    ]
    return sorted(views, key=lambda recipe: recipe.name.casefold())


def _problem(recipe: RecipeRow, jars: Sequence[JarRow]) -> ConflictError | None:
    try:
        plan_items(
            [row.as_ingredient() for row in recipe.ingredients],
            portions=recipe.portions,
            people=recipe.portions,
            jars=[jar.as_jar() for jar in jars],
        )
    except ConflictError as problem:
        return problem
    return None
