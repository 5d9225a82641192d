"""Lines at the foot of the terminal that stay there while others are printed above them."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.cells import set_cell_size
from rich.console import COLOR_SYSTEMS
from rich.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console as RichConsole
    from rich.console import RenderableType
    from typing_extensions import Self

_ERASE = "\r\x1b[K\x1b[C\x1b[J\r"
"""This line, and everything below it: also what a narrower window has broken into two.

In two steps, since tmux would keep a copy of a screen that is erased from its first character on.
"""
_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"
"""A line that is too long, because the window has just become narrower, is cut by the terminal itself."""
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_STYLE = Style.parse("reverse")
_REDRAW_INTERVAL_S = 0.1


class Block:
    """Draws lines where the cursor is, at the beginning of a line.

    The cursor waits at their beginning, not at their end. A window that becomes narrower breaks them into more lines, or
    cuts them off, as the terminal likes; either way they are all after the cursor, and can be taken away again.
    """

    def __init__(self, out: RichConsole) -> None:
        self._out = out
        self._drawn: tuple[Sequence[str], os.terminal_size] | None = None

    def draw(self, lines: Sequence[str]) -> None:
        """Draw `lines` in place of those before, as many as the window has room for; nothing when they are there already."""
        size = terminal_size(self._out)
        if self._drawn == (lines, size):
            return
        shown = lines[: max(size.lines - 1, 1)]
        up = f"\x1b[{len(shown) - 1}A" if len(shown) > 1 else ""
        _write(self._out, _ERASE + _CUT + "\r\n".join(shown) + _WRAP + "\r" + up)
        self._drawn = lines, size

    def hide(self) -> None:
        """Take them away; the cursor is at the beginning of their first line."""
        if self._drawn is not None:
            _write(self._out, _ERASE)
        self._drawn = None


class Foot:
    """One line: `show` draws it, `hide` takes it away before anything else is printed."""

    def __init__(self, out: RichConsole) -> None:
        self._out = out
        self._block = Block(out)
        self._shown: tuple[str, int] | None = None

    def show(self, text: str) -> None:
        """Draw `text`, cut to the terminal's width; it is asked for after every piece of a log, and mostly the same."""
        width = terminal_size(self._out).columns - 1
        if self._shown == (text, width):
            return
        line = set_cell_size(f" {text} ", width)
        colours = COLOR_SYSTEMS.get(self._out.color_system or "")
        if colours is not None:
            line = _STYLE.render(line, color_system=colours)
        self._block.draw([line])
        self._shown = text, width

    def hide(self) -> None:
        """Take it away; the cursor is at the beginning of its line."""
        self._block.hide()
        self._shown = None


class LiveLines:
    """What `render` gives, drawn anew several times a second while the block runs; `render` is for any thread."""

    def __init__(self, out: RichConsole, render: Callable[[], RenderableType]) -> None:
        self._out, self._render = out, render
        self._block = Block(out)
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, daemon=True)

    def __enter__(self) -> Self:
        _write(self._out, _HIDE_CURSOR)
        self._draw()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._block.hide()
        _write(self._out, _SHOW_CURSOR)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """They are gone while something else is printed, and nobody draws them meanwhile."""
        with self._lock:
            self._block.hide()
            yield
            self._draw()

    def _keep_drawing(self) -> None:
        while not self._over.wait(_REDRAW_INTERVAL_S):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        with self._out.capture() as captured:
            self._out.print(self._render(), width=max(terminal_size(self._out).columns - 1, 1))
        self._block.draw(captured.get().rstrip("\n").split("\n"))


def _write(out: RichConsole, text: str) -> None:
    out.file.write(text)
    out.file.flush()


def terminal_size(out: RichConsole) -> os.terminal_size:
    """The window that `out` writes to, as it is now; what the environment says counts where the terminal does not know."""
    try:
        now = os.get_terminal_size(out.file.fileno())
    except (OSError, ValueError):  # no terminal
        return shutil.get_terminal_size()
    return now if all(now) else shutil.get_terminal_size()
