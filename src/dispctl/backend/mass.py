"""Grams on the wire, whole micrograms inside: sums of doses stay exact, as floats' would not."""

MICROGRAMS = 1_000_000


def micrograms(grams: float) -> int:
    """The nearest whole number of micrograms to a mass in grams."""
    return round(grams * MICROGRAMS)


def grams(mass_ug: int) -> float:
    """A mass in grams, for the wire."""
    return mass_ug / MICROGRAMS
