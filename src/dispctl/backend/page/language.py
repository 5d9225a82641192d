"""The languages of the page: which one a browser wants, and how sentences and numbers are said in it; pure."""

import re
from dataclasses import dataclass

from dispctl.backend.page.portuguese import PORTUGUESE

LANGUAGES = {"en": "English", "pt": "Português"}
HTML_LANGUAGES = {"en": "en", "pt": "pt-BR"}
COOKIE = "language"
_RANGE = re.compile(r"\s*([A-Za-z*]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


def choose(chosen: str | None, accept_language: str) -> str:
    """The language that was chosen (a cookie's value), else the one that ``Accept-Language`` likes best, else English."""
    if chosen in LANGUAGES:
        return chosen
    wanted: dict[str, float] = {}
    for part in accept_language.split(","):
        match = _RANGE.fullmatch(part)
        if match and match[1].lower() in LANGUAGES:
            wanted.setdefault(match[1].lower(), float(match[2] or 1))
    liked = {name: quality for name, quality in wanted.items() if quality > 0}
    return max(liked, key=lambda name: liked[name], default="en")


@dataclass(frozen=True)
class Translator:
    """Says English sentences in `language`; a sentence that is not known stays English."""

    language: str

    @property
    def html_language(self) -> str:
        """The value of the attribute ``lang``."""
        return HTML_LANGUAGES[self.language]

    def __call__(self, sentence: str, **values: object) -> str:
        """The sentence with `values` in its braces; numbers with a fraction are written as the language does."""
        said = PORTUGUESE.get(sentence, sentence) if self.language == "pt" else sentence
        if not values:
            return said
        return said.format(
            **{
                name: _Quantity(value, self) if isinstance(value, float) else value
                for name, value in values.items()
            }
        )

    def number(self, value: float) -> str:
        """A number with at most two places after the point, or comma."""
        text = f"{value:.2f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if self.language == "pt" else text


@dataclass(frozen=True)
class _Quantity:
    """A number in a sentence; its format specification gives way to the language's."""

    value: float
    translator: Translator

    def __format__(self, _specification: str) -> str:
        return self.translator.number(self.value)
