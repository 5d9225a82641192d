"""Which lines are worth showing: by tag, by level and by a regular expression. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.logs.events import LEVELS, LogEvent

if TYPE_CHECKING:
    import re

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
        if LEVELS.index(line.level) < LEVELS.index(self.level):
            return False
        return self.grep is None or self.grep.search(text) is not None
