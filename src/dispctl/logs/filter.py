"""Which lines are worth showing: by tag, by level and by a regular expression. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.logs.events import LEVELS, LogEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

_RANKS = {level: rank for rank, level in enumerate(LEVELS)}
_EXPRESSION = re.compile("/(.+)/")
CONTROL_TAG = "CTL"
"""Answers to control lines: a conversation of programs, shown only when asked for."""


@dataclass(frozen=True)
class LineFilter:
    """What `passes`: tags without regard to case, an empty set of `tags` meaning all; `grep` looks at the whole line."""

    tags: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    grep: re.Pattern[str] | None = None
    level: str = "debug"
    control_lines: bool = False

    def passes(self, line: LogEvent, text: str) -> bool:
        """Whether the line, whose text is `text`, is to be shown."""
        tag = (line.tag or "").upper()
        if tag in self.exclude or (self.tags and tag not in self.tags):
            return False
        if tag == CONTROL_TAG and not (self.control_lines or CONTROL_TAG in self.tags):
            return False
        if _RANKS[line.level] < _RANKS[self.level]:
            return False
        return self.grep is None or self.grep.search(text) is not None

    def described(self) -> str:
        """In the words that `parse_filter` reads; empty when everything passes."""
        words = [*sorted(self.tags), *(f"-{tag}" for tag in sorted(self.exclude))]
        if self.level != LEVELS[0]:
            words.append(self.level)
        return " ".join([*words, *([f"/{self.grep.pattern}/"] if self.grep else [])])


def tag_set(names: Iterable[str]) -> frozenset[str]:
    """Tags as `LineFilter` compares them, however they were typed."""
    return frozenset(name.strip("[]").upper() for name in names)


def parse_filter(text: str, *, control_lines: bool = False) -> LineFilter:
    """The filter typed as words: ``EXEC`` a tag, ``-WIFI`` all but it, ``warning`` a level, ``/…/`` an expression.

    Raises re.error when the expression cannot be read.
    """
    grep = _EXPRESSION.search(text)
    words = _EXPRESSION.sub(" ", text).split()
    levels = [word for word in words if word in LEVELS]
    return LineFilter(
        tags=tag_set(word for word in words if word not in LEVELS and not word.startswith("-")),
        exclude=tag_set(word[1:] for word in words if word.startswith("-")),
        grep=re.compile(grep[1]) if grep else None,
        level=levels[-1] if levels else LEVELS[0],
        control_lines=control_lines,
    )
