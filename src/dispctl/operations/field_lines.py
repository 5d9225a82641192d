"""On which line of a TOML, JSON or YAML text a field stands; pure. The parsers tell places of faults in syntax alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def line_of(text: str, names: Sequence[str], *, row: int = 0, rows: int = 1) -> int | None:
    """The line, from 1, of the field with one of these `names` (its spellings); None where that is not certain.

    Of a list of `rows` tables that all have the field it is the one of number `row`, from 0.
    """
    spelled = "|".join(map(re.escape, names))
    # At the beginning of a line or behind a bracket, a comma or a dash: within a value the same word is no field.
    field = re.compile(rf"""(?:^|[{{,\[-])[ \t]*(["']?)(?:{spelled})\1[ \t]*[:=]""", re.MULTILINE)
    found = [text.count("\n", 0, match.end()) + 1 for match in field.finditer(text)]
    return found[row] if len(found) == rows else None
