"""Show and change what the jars hold; keeps every other value as it is."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispctl.adapters.backend_records import JAR_NUMBERS, MAX_SPICE_LENGTH, Jar
from dispctl.errors import UsageError
from dispctl.operations.dose_plan import spice_key

if TYPE_CHECKING:
    from dispctl.adapters.backend_client import BackendClient


@dataclass(frozen=True)
class JarChange:
    """What is to change in one jar; None leaves a value as it is. Raises `UsageError` if it cannot be."""

    spice: str | None = None
    rate_g_per_s: float | None = None
    stock_g: float | None = None

    def __post_init__(self) -> None:
        if not self._given():
            raise UsageError("There is nothing to set.", hint="Add --spice, --rate or --stock.")
        if self.spice is not None and not 1 <= len(self.spice.strip()) <= MAX_SPICE_LENGTH:
            raise UsageError(f"A spice's name has 1 to {MAX_SPICE_LENGTH} characters.")
        if self.rate_g_per_s is not None and not (math.isfinite(self.rate_g_per_s) and self.rate_g_per_s > 0):
            raise UsageError("A rate is a number of grams a second above 0.")
        if self.stock_g is not None and not (math.isfinite(self.stock_g) and self.stock_g >= 0):
            raise UsageError("A stock is a number of grams, 0 or more.")

    def applied_to(self, jar: Jar) -> Jar:
        """The jar with the changed values."""
        return dataclasses.replace(jar, **self._given())

    def _given(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class JarsSet:
    """What the backend keeps now; `same_spice_in` are other jars that hold the changed jar's spice."""

    jars: list[Jar]
    same_spice_in: list[int]


def all_jars(client: BackendClient) -> list[Jar]:
    """The four jars in order; one that was never set up is empty."""
    return _four(client.jars())


def set_jar(client: BackendClient, number: int, change: JarChange) -> JarsSet:
    """Change one jar."""
    known = client.jars()
    changed = change.applied_to(_four(known)[number - 1])
    # All that is known goes back with it: the contract does not say that a jar left out stays as it is.
    stored = client.set_jars([*(jar for jar in known if jar.number != number), changed])
    key = spice_key(changed.spice)
    same = [jar.number for jar in stored if jar.number != number and key and spice_key(jar.spice) == key]
    return JarsSet(_four(stored), same)


def _four(jars: list[Jar]) -> list[Jar]:
    known = {jar.number: jar for jar in jars}
    return [known.get(number) or Jar(number, "", None, None) for number in JAR_NUMBERS]
