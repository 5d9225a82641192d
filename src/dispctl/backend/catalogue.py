"""The names of spices that an operator is offered; pure."""

import unicodedata
from collections.abc import Iterable

from dispctl.backend.plan import spice_key

USUAL_SPICES = (
    "Açafrão",
    "Alecrim",
    "Alho em pó",
    "Canela",
    "Cebola em pó",
    "Coentro",
    "Cominho",
    "Cúrcuma",
    "Gengibre",
    "Louro",
    "Manjericão",
    "Noz-moscada",
    "Orégano",
    "Páprica",
    "Pimenta",
    "Sal",
    "Salsa",
    "Tomilho",
)


def catalogue(own: Iterable[str]) -> list[str]:
    """The usual spices and an operator's `own`, each once whatever its case, as a reader would sort them."""
    by_key = {spice_key(name): name for name in (*reversed(list(own)), *USUAL_SPICES)}
    return sorted(by_key.values(), key=_without_accents)


def _without_accents(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", spice_key(name))
    return "".join(character for character in decomposed if not unicodedata.combining(character))
