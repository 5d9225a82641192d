"""What will be poured, and every reason why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters.backend_records import Ingredient, Jar, Job, JobItem, RecipeDraft
from dispctl.errors import BackendRefusedError, UsageError
from dispctl.operations.dose_plan import PlannedPour, differences, plan

JARS = [
    Jar(1, "Sal", 2.0, 100.0),
    Jar(2, "Pimenta", None, 100.0),
    Jar(3, "Orégano", 0.5, None),
    Jar(4, "", None, None),
]


def recipe(*ingredients: tuple[str, float], portions: int = 1) -> RecipeDraft:
    return RecipeDraft("r", portions, tuple(Ingredient(*each) for each in ingredients))


def test_grams_are_scaled_from_portions_to_people() -> None:
    planned = plan(recipe(("sal", 10), portions=2), 4, JARS)
    assert planned.pours == (PlannedPour("sal", 20.0, 1, 10.0, 80.0),)
    assert planned.problems == ()
    planned.check()


def test_a_spice_is_found_in_any_case_and_composition() -> None:
    assert plan(recipe((" ORE\u0301GANO ", 1)), 1, JARS).pours[0].jar == 3


@pytest.mark.parametrize(
    ("ingredient", "people", "sentence"),
    [
        (("Curry", 1), 1, "No jar holds Curry."),
        (("Pimenta", 1), 1, "Jar 2 (Pimenta) has no calibration."),
        (("Sal", 30), 4, "Jar 1 (Sal) has not enough stock: 120 g are needed, 100 g are left."),
        (
            ("Orégano", 91),
            1,
            "Jar 3 (Orégano) would be open for 182.0 s (91 g at 0.5 g/s); a step takes at most 180 s.",
        ),
    ],
)
def test_each_problem_is_one_sentence(ingredient: tuple[str, float], people: int, sentence: str) -> None:
    planned = plan(recipe(ingredient), people, JARS)
    assert planned.problems == (sentence,)
    with pytest.raises(BackendRefusedError) as caught:
        planned.check()
    assert caught.value.message == sentence


def test_the_longest_step_and_the_last_gram_are_allowed() -> None:
    assert plan(recipe(("Orégano", 90), ("Sal", 100)), 1, JARS).problems == ()


def test_two_steps_from_one_jar_share_its_stock() -> None:
    planned = plan(recipe(("Sal", 60), ("sal", 50)), 1, JARS)
    assert [pour.stock_after_g for pour in planned.pours] == [40, -10]
    assert planned.problems == ("Jar 1 (Sal) has not enough stock: 110 g are needed, 100 g are left.",)


@pytest.mark.parametrize("people", [0, 101])
def test_a_number_of_people_that_no_job_has(people: int) -> None:
    with pytest.raises(UsageError, match="1 to 100 people"):
        plan(recipe(("Sal", 1)), people, JARS)


def test_a_backend_that_cuts_grams_is_noticed() -> None:
    planned = plan(recipe(("Sal", 2.5)), 1, JARS)
    job = Job(1, "queued", 1, 1, (JobItem(1, 1, "Sal", 2.0, 1.0, "queued"),))
    assert differences(planned, job) == ["Sal: 2.5 g were planned, the job has 2 g from jar 1."]


@given(
    grams=st.lists(st.integers(1, 5000), min_size=1, max_size=4),
    people=st.integers(1, 100),
    portions=st.integers(1, 20),
)
def test_what_is_poured_is_what_leaves_the_stock(grams: list[int], people: int, portions: int) -> None:
    planned = plan(recipe(*(("Sal", tenths / 10) for tenths in grams), portions=portions), people, JARS)
    total_g = sum(grams) / 10 * people / portions
    assert planned.pours[-1].stock_after_g == pytest.approx(100 - total_g)
    assert any("stock" in problem for problem in planned.problems) == (total_g > 100 + 1e-6)
