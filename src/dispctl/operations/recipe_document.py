"""A recipe from a TOML, JSON or YAML text, or from ``Sal=10`` words, checked with positions; reads no file.

The document has ``name``, ``portions`` (1), ``people`` (optional) and ``ingredients``: a table ``{Sal = 10}`` or a list
of ``{spice, grams}``. The backend's own names (``nome, porcoes, ingredientes, tempero, quantidade``) are taken too, so
that what ``recipes --json`` prints can be sent again.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from dispctl.adapters.backend_records import (
    MAX_INGREDIENT_G,
    MAX_INGREDIENTS,
    MAX_PEOPLE,
    MAX_PORTIONS,
    MAX_RECIPE_NAME_LENGTH,
    MAX_SPICE_LENGTH,
    Ingredient,
    RecipeDraft,
)
from dispctl.errors import UsageError
from dispctl.operations.field_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FORMATS = (".toml", ".json", ".yaml", ".yml")
_BACKEND_NAMES = {
    "nome": "name",
    "porcoes": "portions",
    "ingredientes": "ingredients",
    "tempero": "spice",
    "quantidade": "grams",
}
_IGNORED = {"id"}
_STEP_G = Decimal("0.1")
_ROW = re.compile(r"ingredients\[(?P<row>\d+)\]\.(?P<field>\w+)")


@dataclass(frozen=True)
class RecipeDocument:
    """A checked recipe; `people` where the document says so."""

    draft: RecipeDraft
    people: int | None


def read_document(text: str, suffix: str, source: str) -> RecipeDocument:
    """Read a document; `suffix` names its format, the empty one tries JSON for ``{`` and TOML else.

    Raises `UsageError` with line and column for the syntax, and with the field's path and line for its content.
    """
    chosen = suffix or (".json" if text.lstrip().startswith("{") else ".toml")
    if chosen not in FORMATS:
        raise UsageError(
            f"{source} is neither TOML nor JSON nor YAML.", hint=f"End its name in {', '.join(FORMATS)}."
        )
    document = {".toml": _toml, ".json": _json}.get(chosen, _yaml)(text, source)
    return _Checker(source, text).recipe(document)


def read_items(items: Sequence[str], portions: int) -> RecipeDocument:
    """Read ``Spice=grams`` words; the recipe's name is made of them. Raises `UsageError`."""
    ingredients: dict[str, Decimal | None] = {}
    for item in items:
        spice, separator, grams = (part.strip() for part in item.rpartition("="))
        if not separator:
            raise UsageError(f"--item {item} is not SPICE=GRAMS.", hint="For example: --item Sal=10")
        if spice in ingredients:
            raise UsageError(f"--item names {spice} twice.", hint="Give one amount for each spice.")
        ingredients[spice] = _decimal(grams)
    name = ", ".join(f"{spice} {grams} g" for spice, grams in ingredients.items())
    document = {"name": name[:MAX_RECIPE_NAME_LENGTH], "portions": portions, "ingredients": ingredients}
    return _Checker("--item").recipe(document)


class _Checker:
    """Collects what is wrong with a document, each with its path and where `text` has it, to tell it all at once."""

    def __init__(self, source: str, text: str = "") -> None:
        self._source = source
        self._text_of_source = text
        self._rows = 1
        self._problems: list[str] = []

    def recipe(self, document: Any) -> RecipeDocument:
        fields = self._fields(document, "", {"name", "portions", "people", "ingredients"})
        name = self._text(fields, "name", "name", MAX_RECIPE_NAME_LENGTH)
        portions = self._whole(fields.get("portions", 1), "portions", MAX_PORTIONS)
        people = self._whole(fields["people"], "people", MAX_PEOPLE) if "people" in fields else None
        ingredients = self._ingredients(fields.get("ingredients"))
        if self._problems:
            raise UsageError(
                f"{self._source} is not a valid recipe: {'; '.join(self._problems)}.",
                hint="Nothing was sent.",
            )
        return RecipeDocument(RecipeDraft(name, portions, ingredients), people)

    def _ingredients(self, value: Any) -> tuple[Ingredient, ...]:
        if isinstance(value, dict):
            rows: list[Any] = [{"spice": spice, "grams": grams} for spice, grams in value.items()]
            paths = [f"ingredients.{spice}" for spice in value]
        elif isinstance(value, list):
            rows, paths = value, [f"ingredients[{index}]" for index in range(len(value))]
            self._rows = len(rows)
        else:
            rows, paths = [], []
        if not 1 <= len(rows) <= MAX_INGREDIENTS:
            self._fault("ingredients", f"must be 1 to {MAX_INGREDIENTS} spices with their grams")
            return ()
        return tuple(self._ingredient(row, path) for row, path in zip(rows, paths, strict=True))

    def _ingredient(self, row: Any, path: str) -> Ingredient:
        fields = self._fields(row, path, {"spice", "grams"})
        spice = self._text(fields, "spice", f"{path}.spice", MAX_SPICE_LENGTH)
        return Ingredient(spice, self._grams(fields.get("grams"), f"{path}.grams"))

    def _fields(self, value: Any, path: str, known: set[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._fault(path or "the document", "must be a table")
            return {}
        fields = {_BACKEND_NAMES.get(str(name), str(name)): content for name, content in value.items()}
        unknown = sorted(fields.keys() - known - _IGNORED)
        for name in unknown:
            self._fault(f"{path}.{name}" if path else name, "is not known")
        return fields

    def _text(self, fields: dict[str, Any], name: str, path: str, longest: int) -> str:
        value = fields.get(name)
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= longest or not value.isprintable():
            self._fault(path, f"must be 1 to {longest} printable characters")
            return ""
        return value.strip()

    def _whole(self, value: Any, path: str, highest: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= highest:
            self._fault(path, f"must be a whole number from 1 to {highest}")
            return 1
        return value

    def _grams(self, value: Any, path: str) -> float:
        number = Decimal(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None
        if number is None or not number.is_finite() or not 0 < number <= MAX_INGREDIENT_G or number % _STEP_G:
            self._fault(path, f"must be above 0, at most {MAX_INGREDIENT_G} and in steps of {_STEP_G} g")
            return 0.0
        return float(number)

    def _fault(self, path: str, words: str) -> None:
        line = self._line_of(path)
        self._problems.append(f"{path}{f' (line {line})' if line else ''} {words}")

    def _line_of(self, path: str) -> int | None:
        """Of a list's row, of one of a table's spices, else of a field of the document itself."""
        row = _ROW.fullmatch(path)
        if row:
            return line_of(
                self._text_of_source, _spellings(row["field"]), row=int(row["row"]), rows=self._rows
            )
        spice = path.removeprefix("ingredients.").removesuffix(".grams").removesuffix(".spice")
        return line_of(self._text_of_source, _spellings(spice))


def _spellings(name: str) -> list[str]:
    return [name, *(given for given, meant in _BACKEND_NAMES.items() if meant == name)]


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def _toml(text: str, source: str) -> Any:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a ValueError of its own
        words, _, place = str(error).partition(" (at ")
        found = re.search(r"line (\d+), column (\d+)", place)
        end = (text.count("\n") + 1, len(text) - text.rfind("\n")) if "end of document" in place else ()
        raise _syntax(source, found.groups() if found else end, words) from None


def _json(text: str, source: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, object_pairs_hook=_once_each(source))
    except json.JSONDecodeError as error:
        raise _syntax(source, (error.lineno, error.colno), error.msg) from None
    except (ValueError, RecursionError) as error:
        raise _syntax(source, (), str(error)) from None


def _once_each(source: str) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"{source} names {twice} twice in one table.")
        return dict(pairs)

    return collect


def _yaml(text: str, source: str) -> Any:
    try:
        import yaml
    except ModuleNotFoundError:
        raise UsageError(
            "YAML cannot be read here.", hint="Install PyYAML, or write the recipe as TOML or JSON."
        ) from None
    try:
        return _with_decimals(yaml.load(text, _strict_loader()))  # noqa: S506 - a kind of SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = () if mark is None else (mark.line + 1, mark.column + 1)
        raise _syntax(source, place, error.problem or "not YAML") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _syntax(source, (), "not YAML") from None


def _strict_loader() -> Any:
    """PyYAML's safe loader; it takes the last of two equal names silently, this one neither."""
    import yaml

    class StrictLoader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            known = set()
            names = [name for name, _ in node.value] if isinstance(node, yaml.MappingNode) else []
            for name in names:
                if not isinstance(name, yaml.ScalarNode):
                    continue  # refused for what it is
                if name.value in known:
                    raise yaml.constructor.ConstructorError(
                        problem=f"the name {name.value} is there twice", problem_mark=name.start_mark
                    )
                known.add(name.value)
            return super().construct_mapping(node, deep)

    return StrictLoader


def _with_decimals(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [_with_decimals(each) for each in value]
    if isinstance(value, dict):
        return {name: _with_decimals(each) for name, each in value.items()}
    return value


def _syntax(source: str, place: Sequence[object], words: str) -> UsageError:
    where = f", line {place[0]}, column {place[1]}" if place else ""
    return UsageError(
        f"{source}{where}: {words[:1].lower()}{words[1:].rstrip('.')}.", hint="Nothing was sent."
    )
