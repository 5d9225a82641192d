"""Log lines for a person: tags in their colours, marks that catch the eye, gaps that cannot be missed."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import COLOR_SYSTEMS
from rich.style import Style
from rich.text import Text

from dispctl.logs.lines import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console as RichConsole

    from dispctl.adapters.port_reader import Moment
    from dispctl.cli.foot import Foot
    from dispctl.operations.monitor import LineSeen

TAG_STYLES = {
    "SETUP": "bold green",
    "WIFI": "bold bright_blue",
    "CLAIM": "bold bright_green",
    "POLL": "bold blue",
    "EXEC": "bold cyan",
    "PERSIST": "bold bright_black",
    "RESUME": "bold yellow",
    "REPORT": "bold magenta",
    "LOOP": "bold bright_black",
    "CTL": "dim",
    "HTTP": "dim",
}
OTHER_TAG_STYLES = (
    "bold bright_cyan",
    "bold bright_magenta",
    "bold bright_green",
    "bold bright_yellow",
    "bold white",
)
MARK_STYLES = {"✓": "bold green", "✗": "bold red", "⚠": "bold yellow", "⚡": "bold yellow"}
LEVEL_STYLES = {"debug": "dim", "info": "", "warning": "yellow", "error": "red"}
EVENT_STYLES = {"chip_reset": "bold yellow", "soft_reset": "bold yellow", "download_mode": "bold yellow"}
GAP_STYLE = "reverse yellow"
NOTE_STYLE = "bright_black"
TIME_FORMAT = "%H:%M:%S.%f"

StyledPiece = tuple[str, str]
"""Text, and its style as Rich names it."""

_MOST_WAITING_PIECES = 10_000
_EDITING = re.compile(rb"\x08|\r|\x07|\x1b\[[0-9]{0,3}[CDKP@m]")
"""What MicroPython's prompt moves its cursor with, and colours."""
_MARKS = re.compile("[" + "".join(MARK_STYLES) + "]")


def tag_style(tag: str) -> str:
    """The colour of a tag: fixed for the firmware's, for any other derived from its name, so the same in every run."""
    known = TAG_STYLES.get(tag.upper())
    return known or OTHER_TAG_STYLES[zlib.crc32(tag.encode()) % len(OTHER_TAG_STYLES)]


def styled_pieces(line: LineSeen) -> list[StyledPiece]:
    """The line in pieces, each with a style: tag, marks and level coloured; the characters are those of the line."""
    text, log = line.text, line.log
    base = EVENT_STYLES.get(log.event or "") or LEVEL_STYLES[log.level]
    pieces, begin = [], 0
    if log.tag is not None:
        start = text.index(log.tag)
        bracketed = text[:start].endswith("[")
        begin = start + len(log.tag) + bracketed
        pieces = [
            (text[: start - bracketed], base),
            (text[start - bracketed : begin], _over(base, tag_style(log.tag))),
        ]
    for mark in _MARKS.finditer(text, begin):
        pieces += [(text[begin : mark.start()], base), (mark[0], _over(base, MARK_STYLES[mark[0]]))]
        begin = mark.end()
    return [*pieces, (text[begin:], base)]


def _over(base: str, style: str) -> str:
    """`style` on top of `base`, both as Rich names them: the last colour named counts."""
    return f"{base} {style}" if base else style


def editable(data: bytes) -> str:
    """What `data` shows at a prompt: the cursor moves within the line, anything else that would act is made visible."""
    shown, begin = [], 0
    for match in _EDITING.finditer(data):
        shown += [printable(data[begin : match.start()]), match[0].decode()]
        begin = match.end()
    return "".join([*shown, printable(data[begin:])])


def time_text(moment: Moment | None, time_format: str = TIME_FORMAT) -> str:
    """Local time of `moment`, with thousandths where the format has ``%f``; empty for a recording's lines."""
    if moment is None:
        return ""
    then = datetime.fromtimestamp(moment.epoch_s).astimezone()
    return then.strftime(time_format.replace("%f", f"{then.microsecond // 1000:03d}"))


class LogView:
    """Shows lines one below the other on `out`; a line that comes in pieces is shown as one.

    With `boards` each line begins with the board it is from. `editing` lets a board's prompt move its cursor within the
    line. A `foot` is taken away before anything is shown; `settle` puts it back. A `batched` view writes when it is
    settled or closed.
    """

    def __init__(
        self,
        out: RichConsole,
        *,
        time_format: str | None = None,
        boards: Sequence[str] = (),
        editing: bool = False,
        foot: Foot | None = None,
        batched: bool = False,
    ) -> None:
        self.time_format = time_format
        self._out = out
        self._prefixes = {board: board.ljust(max(map(len, boards))) + " │ " for board in boards}
        self._editing = editing
        self._foot = foot
        self._batched = batched
        self._plain = out.color_system is None and not out.record and not out.legacy_windows
        self._waiting: list[str] = []
        self._known_codes: dict[str, _Codes] = {}
        self._in_line_of: str | None = None

    def show(self, line: LineSeen, board: str = "") -> None:
        """Show a line, or a piece of one, of `board`."""
        if line.begins or self._in_line_of != board:
            self._begin_line(line.moment, board)
        end = "\n" if line.ends else ""
        if self._editing and self._out.is_terminal:
            self._write_through(editable(line.data), end)
        elif self._plain:
            self._write_through(line.text, end)
        else:
            self._write(styled_pieces(line), end)
        self._in_line_of = None if line.ends else board

    def note(self, words: str, board: str = "") -> None:
        """Show a remark on the line before, in a way that nobody takes it for one."""
        self._end_line()
        self._show_prefix(board)
        self._write([(f"      ↳ {words}", NOTE_STYLE)])

    def mark(self, words: str, moment: Moment | None = None, board: str = "") -> None:
        """Show what happened to the connection, between the lines, so that nobody takes it for one."""
        self._begin_line(moment, board)
        self._write([(f"── {words} ──", GAP_STYLE)])

    def settle(self, foot_text: str) -> None:
        """Write what waits and show the foot with `foot_text`, unless a line is being written."""
        self.flush()
        if self._foot is not None and self._in_line_of is None:
            self._foot.show(foot_text)

    def step_aside(self) -> None:
        """Let somebody else write on the terminal: nothing waits, and the foot is gone until it is settled again."""
        self._end_line()
        self.flush()
        if self._foot is not None:
            self._foot.hide()

    def flush(self) -> None:
        """Write what waits to be shown."""
        if not self._waiting:
            return
        if self._foot is not None:
            self._foot.hide()
        self._out.file.write("".join(self._waiting))
        self._out.file.flush()
        self._waiting.clear()

    def close(self) -> None:
        """Leave the terminal at the beginning of a line."""
        self.step_aside()

    def _begin_line(self, moment: Moment | None, board: str) -> None:
        if self._in_line_of is not None:
            self._end_line()
        if self.time_format and (text := time_text(moment, self.time_format)):
            self._write([(text + " ", "bright_black")], "")
        if self._prefixes:
            self._show_prefix(board)

    def _show_prefix(self, board: str) -> None:
        if prefix := self._prefixes.get(board):
            self._write([(prefix, tag_style(board))], "")

    def _end_line(self) -> None:
        if self._in_line_of is not None:
            self._write([])
        self._in_line_of = None

    def _write_through(self, text: str, end: str) -> None:
        self._waiting.append(text + end)
        self._flush_unless_batched()

    def _write(self, pieces: Sequence[StyledPiece], end: str = "\n") -> None:
        """Write without Rich's layout, which takes many times as long as all the rest of the way from the port."""
        if self._out.record or self._out.legacy_windows:
            self._out.print(Text.assemble(*pieces), end=end, soft_wrap=True)
            return
        self._waiting += [self._codes(style).format(text) for text, style in pieces if text]
        self._waiting.append(end)
        self._flush_unless_batched()

    def _codes(self, style: str) -> _Codes:
        """What a terminal is told around a piece of this style."""
        known = self._known_codes.get(style)
        if known is None:
            known = self._known_codes[style] = _Codes.of(style, self._out)
        return known

    def _flush_unless_batched(self) -> None:
        if not self._batched or len(self._waiting) > _MOST_WAITING_PIECES:
            self.flush()


@dataclass(frozen=True)
class _Codes:
    """Control characters before and after a piece of text."""

    before: str
    after: str

    @classmethod
    def of(cls, name: str, out: RichConsole) -> _Codes:
        colours = COLOR_SYSTEMS.get(out.color_system or "")
        style = Style.parse(name)
        if colours is None or not style:
            return cls("", "")
        shown = style.without_color if out.no_color else style
        before, _, after = shown.render("\0", color_system=colours).partition("\0")
        return cls(before, after)

    def format(self, text: str) -> str:
        return f"{self.before}{text}{self.after}"
