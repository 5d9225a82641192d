"""Log lines for a person: tags in their colours, marks that catch the eye, gaps that cannot be missed."""

from __future__ import annotations

import re
import zlib
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import COLOR_SYSTEMS
from rich.text import Text

if TYPE_CHECKING:
    from rich.color import ColorSystem
    from rich.console import Console as RichConsole
    from rich.segment import Segment

    from dispctl.adapters.port_reader import Moment
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
TIME_FORMAT = "%H:%M:%S.%f"

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


def time_text(moment: Moment | None, time_format: str = TIME_FORMAT) -> str:
    """Local time of `moment`, with thousandths where the format has ``%f``; empty for a recording's lines."""
    if moment is None:
        return ""
    then = datetime.fromtimestamp(moment.epoch_s).astimezone()
    return then.strftime(time_format.replace("%f", f"{then.microsecond // 1000:03d}"))


class LogView:
    """Shows lines one below the other on `out`; a line that comes in pieces is shown as one."""

    def __init__(self, out: RichConsole, *, time_format: str | None = None) -> None:
        self._out = out
        self._time_format = time_format
        self._in_line = False

    def show(self, line: LineSeen) -> None:
        """Show a line, or a piece of one."""
        if line.begins:
            self._end_line()
            self._show_time(line.moment)
        self._write(line_text(line), "\n" if line.ends else "")
        self._in_line = not line.ends

    def mark(self, words: str, moment: Moment | None = None) -> None:
        """Show what happened to the connection, between the lines, so that nobody takes it for one."""
        self._end_line()
        self._show_time(moment)
        self._write(_styled(f"── {words} ──", GAP_STYLE))

    def close(self) -> None:
        """Leave the terminal at the beginning of a line."""
        self._end_line()

    def _show_time(self, moment: Moment | None) -> None:
        if self._time_format and (text := time_text(moment, self._time_format)):
            self._write(_styled(text + " ", "bright_black"), "")

    def _end_line(self) -> None:
        if self._in_line:
            self._write(Text())
        self._in_line = False

    def _write(self, text: Text, end: str = "\n") -> None:
        """Print without Rich's layout, which takes three times as long as all the rest of the way from the port."""
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
