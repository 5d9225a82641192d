"""Recipes by what people call them."""

import pytest

from dispctl.adapters.backend_records import Ingredient, Recipe, RecipeDraft
from dispctl.errors import UsageError
from dispctl.operations.recipes import find_recipe, identical_recipe

SALT = (Ingredient("Sal", 10.0),)
RECIPES = [Recipe("Frango", 4, SALT, 1), Recipe("Curry suave", 4, SALT, 2), Recipe("2", 1, SALT, 3)]


@pytest.mark.parametrize(
    ("wanted", "recipe_id"), [("frango", 1), (" CURRY SUAVE ", 2), ("1", 1), ("2", 3), ("3", 3)]
)
def test_a_name_in_any_case_goes_before_an_id(wanted: str, recipe_id: int) -> None:
    assert find_recipe(RECIPES, wanted).id == recipe_id


@pytest.mark.parametrize(
    ("wanted", "meant"), [("Frnago", "Did you mean Frango?"), ("suave", "Did you mean Curry suave?")]
)
def test_what_may_have_been_meant(wanted: str, meant: str) -> None:
    with pytest.raises(UsageError, match="There is no recipe") as caught:
        find_recipe(RECIPES, wanted)
    assert caught.value.hint == meant


@pytest.mark.parametrize(("recipes", "hint"), [([], "There are none yet"), (RECIPES, "See dispctl recipes")])
def test_a_name_like_no_other(recipes: list[Recipe], hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_recipe(recipes, "xyz")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint)


def test_two_of_a_name_need_an_id() -> None:
    with pytest.raises(UsageError, match="2 recipes are called frango") as caught:
        find_recipe([*RECIPES, Recipe("FRANGO", 1, SALT, 8)], "frango")
    assert caught.value.hint == "Give the id: one of 1, 8."


def test_only_what_pours_the_same_is_identical() -> None:
    assert identical_recipe(RECIPES, RecipeDraft("frango", 4, (Ingredient("SAL", 10.0),))) == RECIPES[0]
    assert identical_recipe(RECIPES, RecipeDraft("frango", 2, SALT)) is None
    assert identical_recipe(RECIPES, RecipeDraft("frango", 4, (Ingredient("Sal", 10.1),))) is None
