"""MicroPython's tracebacks, told from lines one after the other. Pure; knows nothing of source files.

A traceback is its first line, frames from the outermost to the innermost, and the line that names the exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispctl.logs.events import LogEvent


@dataclass(frozen=True)
class Frame:
    """A place in a program on the board; `function` is empty where MicroPython names none (a syntax error)."""

    file: str
    line: int
    function: str


class TracebackReader:
    """Reads a board's lines; while it is not `inside` a traceback, only lines with an event matter to it.

    `innermost` is the frame last read of a traceback that has not ended.
    """

    def __init__(self) -> None:
        self.inside = False
        self.innermost: Frame | None = None

    def read(self, log: LogEvent) -> LogEvent:
        """The same line; the one that ends a traceback becomes the event ``exception_raised`` with where it was."""
        if log.event == "traceback_began":
            self.inside, self.innermost = True, None
        elif log.event == "traceback_frame":
            self.inside, self.innermost = True, _frame(log)
        elif self.inside:
            self.inside, where = False, self.innermost
            self.innermost = None
            if log.tag is None and log.message:
                return log._replace(
                    level="error", event="exception_raised", fields=_fields(log.message, where)
                )
        return log

    def forget(self) -> None:
        """What comes next belongs to no traceback: the connection was lost."""
        self.inside, self.innermost = False, None


def _frame(log: LogEvent) -> Frame:
    fields = log.fields
    return Frame(str(fields["file"]), int(fields["line"]), str(fields.get("function", "")))


def _fields(message: str, where: Frame | None) -> dict[str, str | int | float]:
    exception = message.partition(":")[0].strip()
    if where is None:
        return {"exception": exception}
    return {"exception": exception, "file": where.file, "line": where.line, "function": where.function}
