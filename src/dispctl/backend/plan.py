"""From a recipe and the jars to a job's items, or to the sentence why not; pure."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dispctl.backend.mass import MICROGRAMS, grams
from dispctl.backend.refusals import ConflictError


@dataclass(frozen=True)
class Ingredient:
    """So much of a spice for the recipe's own number of portions."""

    spice: str
    quantity_ug: int


@dataclass(frozen=True)
class Jar:
    """A jar, 1 to 4: what is in it, how fast it pours and what is left; None where nobody has said."""

    number: int
    spice: str | None
    grams_per_second: float | None
    stock_ug: int | None


@dataclass(frozen=True)
class PlannedItem:
    """One pour: `order` counts from 1, `seconds` is how long the jar is to be open."""

    order: int
    jar: int
    spice: str
    quantity_ug: int
    seconds: float


def spice_key(name: str) -> str:
    """What two spellings of one spice have in common: case, composition and outer blanks do not count."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def plan_items(
    ingredients: Sequence[Ingredient], *, portions: int, people: int, jars: Sequence[Jar]
) -> list[PlannedItem]:
    """One item an ingredient, in the recipe's order, scaled from `portions` to `people`.

    Raises `ConflictError` when a spice has no jar, a jar no calibration, or a jar holds less than the whole job takes.
    """
    jar_of = _jars_by_spice(jars)
    items = [
        _plan_item(order, ingredient, portions, people, jar_of)
        for order, ingredient in enumerate(ingredients, start=1)
    ]
    _check_stock(items, {jar.number: jar for jar in jars})
    return items


def _jars_by_spice(jars: Sequence[Jar]) -> dict[str, Jar]:
    by_spice: dict[str, Jar] = {}
    for jar in sorted(jars, key=lambda jar: jar.number):
        if jar.spice:
            by_spice.setdefault(spice_key(jar.spice), jar)
    return by_spice


def _plan_item(
    order: int, ingredient: Ingredient, portions: int, people: int, jar_of: Mapping[str, Jar]
) -> PlannedItem:
    jar = jar_of.get(spice_key(ingredient.spice))
    if jar is None:
        raise ConflictError("No jar holds {spice}.", spice=ingredient.spice)
    if jar.grams_per_second is None:
        raise ConflictError("Jar {jar} ({spice}) has no calibration.", jar=jar.number, spice=jar.spice)
    exact_ug = ingredient.quantity_ug * people / portions
    seconds = exact_ug / MICROGRAMS / jar.grams_per_second
    return PlannedItem(order, jar.number, ingredient.spice, round(exact_ug), seconds)


def _check_stock(items: Sequence[PlannedItem], jars: Mapping[int, Jar]) -> None:
    needed_ug: defaultdict[int, int] = defaultdict(int)
    for item in items:
        needed_ug[item.jar] += item.quantity_ug
    for number, mass_ug in needed_ug.items():
        jar = jars[number]
        if jar.stock_ug is not None and jar.stock_ug < mass_ug:
            raise ConflictError(
                "Not enough stock in jar {jar} ({spice}): {needed:g} g are needed, {left:g} g are left.",
                jar=number,
                spice=jar.spice,
                needed=grams(mass_ug),
                left=grams(jar.stock_ug),
            )
