"""Recipes, and the names of spices that an operator uses."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispctl.backend.plan import Ingredient
from dispctl.backend.refusals import NotFoundError
from dispctl.backend.store import operators
from dispctl.backend.store.tables import IngredientRow, JarRow, RecipeRow


@dataclass(frozen=True)
class Draft:
    """A recipe that is not kept yet; its ingredients are for `portions`."""

    name: str
    portions: int
    ingredients: Sequence[Ingredient]


def recipes_of(session: Session, operator_id: int) -> Sequence[RecipeRow]:
    """All of the operator's recipes, oldest first."""
    return session.scalars(
        select(RecipeRow).where(RecipeRow.operator_id == operator_id).order_by(RecipeRow.id)
    ).all()


def recipe(session: Session, operator_id: int, recipe_id: int) -> RecipeRow:
    """One of the operator's recipes; raises `NotFoundError`."""
    row = session.get(RecipeRow, recipe_id)
    if row is None or row.operator_id != operator_id:
        raise NotFoundError("There is no recipe {recipe}.", recipe=recipe_id)
    return row


def add(session: Session, operator_id: int, draft: Draft) -> RecipeRow:
    """A new recipe."""
    row = RecipeRow(operator_id=operator_id)
    session.add(row)
    return _fill(session, row, draft)


def replace(session: Session, operator_id: int, recipe_id: int, draft: Draft) -> RecipeRow:
    """Make a recipe what `draft` says; raises `NotFoundError`."""
    operators.lock(session, operator_id)
    return _fill(session, recipe(session, operator_id, recipe_id), draft)


def remove(session: Session, operator_id: int, recipe_id: int) -> None:
    """Delete a recipe; jobs made from it stay. Raises `NotFoundError`."""
    operators.lock(session, operator_id)
    session.delete(recipe(session, operator_id, recipe_id))


def spices_of(session: Session, operator_id: int) -> list[str]:
    """Every spelling of a spice in the operator's jars and recipes."""
    in_jars = select(JarRow.spice).where(JarRow.operator_id == operator_id, JarRow.spice.is_not(None))
    in_recipes = (
        select(IngredientRow.spice)
        .join(RecipeRow, RecipeRow.id == IngredientRow.recipe_id)
        .where(RecipeRow.operator_id == operator_id)
        .distinct()
    )
    return [name for name in (*session.scalars(in_jars), *session.scalars(in_recipes)) if name]


def _fill(session: Session, row: RecipeRow, draft: Draft) -> RecipeRow:
    row.name = draft.name
    row.portions = draft.portions
    row.ingredients = [
        IngredientRow(order=order, spice=ingredient.spice, quantity_ug=ingredient.quantity_ug)
        for order, ingredient in enumerate(draft.ingredients, start=1)
    ]
    session.flush()
    return row
