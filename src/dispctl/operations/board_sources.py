"""The local source line that a frame of a board's traceback points to; knows nothing of how it is shown.

The firmware's sources are those of this installation, so they are the board's only while both have the same version.
"""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from dispctl.firmware import VERSION

if TYPE_CHECKING:
    from dispctl.logs.events import LogEvent

_MODULE_LEVEL = "<module>"


@dataclass(frozen=True)
class SourceLine:
    """A line of the firmware's source here; `certain` when the board has said that it runs the same version."""

    path: Path
    line: int
    code: str
    certain: bool


class BoardSources:
    """The sources as one board has them; what version it runs is learnt from its log."""

    def __init__(self) -> None:
        self._version: str | None = None

    def heed(self, log: LogEvent) -> None:
        """Learn the board's version from `log`, if it tells."""
        if log.event == "firmware_started":
            self._version = str(log.fields["version"])

    def line_of(self, log: LogEvent) -> SourceLine | None:
        """Where a traceback's frame, or the exception that ends it, is; None for another version's or foreign code."""
        if log.event not in {"traceback_frame", "exception_raised"} or "file" not in log.fields:
            return None
        if self._version not in {None, VERSION}:
            return None
        module = _Module.named(str(log.fields["file"]).rpartition("/")[2], str(log.fields["file"]))
        number = int(log.fields["line"])
        if module is None or not module.has(number, str(log.fields.get("function", ""))):
            return None
        return SourceLine(module.path, number, module.lines[number - 1].strip(), self._version == VERSION)


@dataclass(frozen=True)
class _Module:
    """One file of the firmware package, and which lines each function of it has."""

    path: Path
    lines: tuple[str, ...]
    functions: dict[str, tuple[range, ...]]

    @staticmethod
    @functools.lru_cache(maxsize=64)  # of what a log names, so bounded
    def named(name: str, on_board: str) -> _Module | None:
        """The module `name` of the package, if that is what the path `on_board` means."""
        if on_board.strip("/") != f"firmware/{name}" or not name.endswith(".py"):
            return None
        path = Path(str(resources.files("dispctl.firmware").joinpath(name)))
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:  # a file of another version, or a program that is not installed as files
            return None
        return _Module(path, tuple(text.splitlines()), _functions(ast.parse(text)))

    def has(self, line: int, function: str) -> bool:
        """Whether `line` can be in `function`: where it cannot, the board's file is another."""
        if not 1 <= line <= len(self.lines):
            return False
        if not function or function.startswith("<"):
            return function != _MODULE_LEVEL or not any(
                line in span and line != span.start for spans in self.functions.values() for span in spans
            )
        return any(line in span for span in self.functions.get(function, ()))


def _functions(tree: ast.AST) -> dict[str, tuple[range, ...]]:
    spans: dict[str, tuple[range, ...]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            spans[node.name] = (*spans.get(node.name, ()), span)
    return spans
