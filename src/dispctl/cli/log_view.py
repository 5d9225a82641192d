"""Log lines for a person: tags in their colours, marks that catch the eye, gaps that cannot be missed."""

from __future__ import annotations

import re
import zlib
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import COLOR_SYSTEMS
from rich.text import Text

from dispctl.logs.lines import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.color import ColorSystem
    from rich.console import Console as RichConsole
    from rich.segment import Segment

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

_EDITING = re.compile(rb"\x08|\r|\x07|\x1b\[[0-9]{0,3}[CDKP@m]")
"""What MicroPython's prompt moves its cursor with, and colours."""
_MARKS = re.compile("[" + "".join(MARK_STYLES) + "]")


def tag_style(tag: str) -> str:
    """The colour of a tag: fixed for the firmware's, for any other derived from its name, so the same in every run."""
    known = TAG_STYLES.get(tag.upper())
    return known or OTHER_TAG_STYLES[zlib.crc32(tag.encode()) % len(OTHER_TAG_STYLES)]


def line_text(line: LineSeen) -> Text:
    """The line with its tag, its marks and its level coloured; the characters are those of the line."""
    style = EVENT_STYLES.get(line.log.event or "") or LEVEL_STYLES[line.log.level]
    text = _styled(line.text, style)
    if line.log.tag is not None:
        start = line.text.index(line.log.tag)
        bracketed = line.text[:start].endswith("[")
        text.stylize(tag_style(line.log.tag), start - bracketed, start + len(line.log.tag) + bracketed)
    for mark in _MARKS.finditer(line.text):
        text.stylize(MARK_STYLES[mark[0]], *mark.span())
    return text


def _styled(words: str, style: str) -> Text:
    text = Text(words)
    text.stylize(style)  # as a span: `Text.render` leaves a text's own style out where there are no spans
    return text


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
    line. A `foot` is taken away before anything is shown; `settle` puts it back.
    """

    def __init__(
        self,
        out: RichConsole,
        *,
        time_format: str | None = None,
        boards: Sequence[str] = (),
        editing: bool = False,
        foot: Foot | None = None,
    ) -> None:
        self.time_format = time_format
        self._out = out
        self._prefixes = {board: board.ljust(max(map(len, boards))) + " │ " for board in boards}
        self._editing = editing
        self._foot = foot
        self._in_line_of: str | None = None

    def show(self, line: LineSeen, board: str = "") -> None:
        """Show a line, or a piece of one, of `board`."""
        if line.begins or self._in_line_of != board:
            self._begin_line(line.moment, board)
        if self._editing and self._out.is_terminal:
            self._write_through(editable(line.data), "\n" if line.ends else "")
        else:
            self._write(line_text(line), "\n" if line.ends else "")
        self._in_line_of = None if line.ends else board

    def note(self, words: str, board: str = "") -> None:
        """Show a remark on the line before, in a way that nobody takes it for one."""
        self._end_line()
        self._show_prefix(board)
        self._write(_styled(f"      ↳ {words}", NOTE_STYLE))

    def mark(self, words: str, moment: Moment | None = None, board: str = "") -> None:
        """Show what happened to the connection, between the lines, so that nobody takes it for one."""
        self._begin_line(moment, board)
        self._write(_styled(f"── {words} ──", GAP_STYLE))

    def settle(self, foot_text: str) -> None:
        """Show the foot with `foot_text`, unless a line is being written."""
        if self._foot is not None and self._in_line_of is None:
            self._foot.show(foot_text)

    def close(self) -> None:
        """Leave the terminal at the beginning of a line."""
        self._end_line()
        if self._foot is not None:
            self._foot.hide()

    def _begin_line(self, moment: Moment | None, board: str) -> None:
        self._end_line()
        if self.time_format and (text := time_text(moment, self.time_format)):
            self._write(_styled(text + " ", "bright_black"), "")
        self._show_prefix(board)

    def _show_prefix(self, board: str) -> None:
        if prefix := self._prefixes.get(board):
            self._write(_styled(prefix, tag_style(board)), "")

    def _end_line(self) -> None:
        if self._in_line_of is not None:
            self._write(Text())
        self._in_line_of = None

    def _write_through(self, text: str, end: str) -> None:
        if self._foot is not None:
            self._foot.hide()
        self._out.file.write(text + end)
        self._out.file.flush()

    def _write(self, text: Text, end: str = "\n") -> None:
        """Print without Rich's layout, which takes three times as long as all the rest of the way from the port."""
        if self._foot is not None:
            self._foot.hide()
        if self._out.record or self._out.legacy_windows:
            self._out.print(text, end=end, soft_wrap=True)
            return
        colours = COLOR_SYSTEMS.get(self._out.color_system or "")
        pieces = (
            _rendered(segment, colours, no_color=self._out.no_color) for segment in text.render(self._out)
        )
        self._out.file.write("".join(pieces) + end)
        self._out.file.flush()


def _rendered(segment: Segment, colours: ColorSystem | None, *, no_color: bool) -> str:
    if segment.style is None or colours is None:
        return segment.text
    style = segment.style.without_color if no_color else segment.style
    return style.render(segment.text, color_system=colours)
