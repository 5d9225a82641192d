"""From a recipe and the jars to a job's items."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.backend.mass import MICROGRAMS, grams, micrograms
from dispctl.backend.plan import Ingredient, Jar, plan_items, spice_key
from dispctl.backend.refusals import ConflictError

SPICES = ("Sal", "Pimenta", "Cominho", "Orégano")
tenths_of_a_gram = st.integers(1, 5000).map(lambda tenths: tenths * MICROGRAMS // 10)
ingredients = st.lists(
    st.builds(Ingredient, st.sampled_from(SPICES), tenths_of_a_gram), min_size=1, max_size=4
)
flows = st.floats(0.01, 100)


def full_jars(flow: float = 2.0) -> list[Jar]:
    return [Jar(number, spice, flow, None) for number, spice in enumerate(SPICES, start=1)]


@given(ingredients, st.integers(1, 20), st.integers(1, 100), flows)
def test_every_ingredient_is_an_item_scaled_to_within_a_microgram(
    wanted: list[Ingredient], portions: int, people: int, flow: float
) -> None:
    items = plan_items(wanted, portions=portions, people=people, jars=full_jars(flow))

    assert [item.order for item in items] == list(range(1, len(wanted) + 1))
    for item, ingredient in zip(items, wanted, strict=True):
        exact_ug = Fraction(ingredient.quantity_ug * people, portions)
        assert abs(item.quantity_ug - exact_ug) <= Fraction(1, 2) + Fraction(1, 1000)
        assert item.jar == SPICES.index(ingredient.spice) + 1
        assert item.seconds == pytest.approx(float(exact_ug) / MICROGRAMS / flow)


@given(ingredients, st.integers(1, 100), st.integers(0, 10**9))
def test_a_plan_never_takes_more_than_a_jar_holds(
    wanted: list[Ingredient], people: int, stock_ug: int
) -> None:
    jars = [Jar(number, spice, 2.0, stock_ug) for number, spice in enumerate(SPICES, start=1)]
    try:
        items = plan_items(wanted, portions=4, people=people, jars=jars)
    except ConflictError:
        items = []
    for jar in jars:
        assert sum(item.quantity_ug for item in items if item.jar == jar.number) <= stock_ug


def test_of_two_jars_with_one_spice_the_first_serves() -> None:
    jars = [Jar(3, "sal", 2.0, None), Jar(2, "Sal", 1.0, None)]

    (item,) = plan_items([Ingredient("SAL", MICROGRAMS)], portions=1, people=1, jars=jars)

    assert item.jar == 2


@given(st.text())
def test_spellings_of_a_spice_have_one_key(name: str) -> None:
    assert spice_key(f" {name} ") == spice_key(name)
    assert spice_key(spice_key(name)) == spice_key(name)


@given(st.integers(0, 10**12))
def test_micrograms_survive_the_wire(mass_ug: int) -> None:
    assert micrograms(grams(mass_ug)) == mass_ug
