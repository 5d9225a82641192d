"""Which language, and whether everything is said in both."""

import ast
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from dispctl.backend import page
from dispctl.backend.page import jars, recipes
from dispctl.backend.page.job_view import SENTENCES
from dispctl.backend.page.language import LANGUAGES, Translator, choose
from dispctl.backend.page.portuguese import PORTUGUESE
from dispctl.backend.refusals import Refusal

PAGE = Path(page.__file__).parent
BACKEND = PAGE.parent
REFUSALS = {"Refusal"} | {refusal.__name__ for refusal in Refusal.__subclasses__()} - {"ForeignJobError"}
NOT_FOR_OPERATORS = {
    "The claim code is wrong or has expired.",
    "The device token is not valid.",
    "Not signed in.",  # the page leads to the sign-in instead
}
# What the store writes into jobs, and what a form lacks.
OTHERS = {
    "Cancelled by the operator.",
    "The report does not name this item.",
    "The board gave no reason.",
    "A name and a password are needed.",
}
english, portuguese = Translator("en"), Translator("pt")


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", "pt"),
        (None, "en-GB,en;q=0.9,pt;q=0.8", "en"),
        (None, "de,fr;q=0.9", "en"),
        (None, "de,pt;q=0.2", "pt"),
        (None, "en;q=0.1, PT ; q=0.5", "pt"),
        (None, "pt;q=0", "en"),
        (None, "pt;q=2,;;,en", "en"),
        ("pt", "en", "pt"),
        ("en", "pt", "en"),
        ("xx", "pt", "pt"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_one_liked_best(
    chosen: str | None, accepted: str, language: str
) -> None:
    assert choose(chosen, accepted) == language


@given(st.text() | st.text(alphabet="ptenq=;,.-01 *"))
def test_whatever_a_browser_sends_there_is_a_language(accepted: str) -> None:
    assert choose(None, accepted) in LANGUAGES


def test_numbers_are_written_as_the_language_does() -> None:
    assert [english.number(value) for value in (10.0, 2.5, 0.125, 1_000_000.0, 0.0)] == [
        *("10", "2.5", "0.12", "1000000", "0")
    ]
    assert portuguese.number(172.5) == "172,5"
    sentence = "Not enough stock in jar {jar} ({spice}): {needed:g} g are needed, {left:g} g are left."
    values = {"jar": 1, "spice": "Sal", "needed": 12.5, "left": 0.0}
    assert english(sentence, **values) == (
        "Not enough stock in jar 1 (Sal): 12.5 g are needed, 0 g are left."
    )
    assert portuguese(sentence, **values) == (
        "Estoque insuficiente no frasco 1 (Sal): são necessários 12,5 g, restam 0 g."
    )


def test_every_sentence_is_said_in_portuguese_and_none_is_left_over() -> None:
    texts, refusals = in_templates(), in_refusals()
    said = texts | refusals | {*SENTENCES.values(), *jars.PROBLEMS.values(), *recipes.PROBLEMS.values()}

    assert said - set(PORTUGUESE) - NOT_FOR_OPERATORS == set()
    assert set(PORTUGUESE) - said == OTHERS


@pytest.mark.parametrize("sentence", sorted(PORTUGUESE))
def test_a_translation_has_the_same_values_in_it(sentence: str) -> None:
    def values(text: str) -> set[tuple[str | None, str | None]]:
        return {(name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name}

    assert values(PORTUGUESE[sentence]) == values(sentence)


def in_templates() -> set[str]:
    """What templates say through ``t``."""
    parse = Environment(autoescape=True).parse
    found = set()
    for file in PAGE.glob("templates/*.html"):
        for _, _, said in extract_from_ast(parse(file.read_text("utf-8")), gettext_functions=("t",)):
            found.add(said[0] if isinstance(said, tuple) else said)
    return {text for text in found if text is not None}  # None: it stands in a variable


def in_refusals() -> set[str]:
    """The sentences of the refusals that the page may show, as they stand before their values are filled in."""
    files = [
        *PAGE.glob("*.py"),
        *(BACKEND / "store").glob("*.py"),
        BACKEND / "plan.py",
        BACKEND / "refusals.py",
    ]
    found = set()
    for file in (*files, BACKEND / "routes" / "auth.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and is_refusal(node.func) and node.args:
                found.add(getattr(node.args[0], "value", None))
    return {
        text for text in found if isinstance(text, str)
    }  # only boards get the others, put together on the spot


def is_refusal(called: ast.expr) -> bool:
    """Whether a call makes a refusal, or is one's own constructor speaking for it."""
    if isinstance(called, ast.Attribute):
        return called.attr == "__init__"
    return isinstance(called, ast.Name) and called.id in REFUSALS
