"""A line at the foot of the terminal that stays there while lines are printed above it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from rich.cells import set_cell_size
from rich.console import COLOR_SYSTEMS
from rich.style import Style

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

_ERASE = "\r\x1b[J"
"""To the beginning of the line, and everything from there on: also what a narrower window has broken into two."""
_STYLE = Style.parse("reverse")


class Foot:
    """`show` draws it where the cursor is, at the beginning of a line; `hide` before anything else is printed."""

    def __init__(self, out: RichConsole) -> None:
        self._out = out
        self._shown: tuple[str, int] | None = None

    def show(self, text: str) -> None:
        """Draw `text`, cut to the terminal's width; draws nothing when it is there already."""
        width = shutil.get_terminal_size().columns - 1
        if self._shown == (text, width):
            return
        line = set_cell_size(f" {text} ", width)
        colours = COLOR_SYSTEMS.get(self._out.color_system or "")
        if colours is not None:
            line = _STYLE.render(line, color_system=colours)
        self._write(_ERASE + line)
        self._shown = text, width

    def hide(self) -> None:
        """Take it away; the cursor is at the beginning of its line."""
        if self._shown is not None:
            self._write(_ERASE)
        self._shown = None

    def _write(self, text: str) -> None:
        self._out.file.write(text)
        self._out.file.flush()
