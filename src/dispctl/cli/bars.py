"""Progress bars one below the other, each with its words before it and how things stand behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.table import Column
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import RenderableType
    from rich.progress import Task, TaskID

BAR_WIDTH = 30


class Bars:
    """Drawn by whoever calls `render`; moved from any thread."""

    def __init__(self, console: RichConsole) -> None:
        # Only a table of bars: it is never started, so it writes nothing and takes no stream away.
        self._progress = Progress(
            TextColumn(
                "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")
            ),
            # A full bar is not green: it may be full by an estimate.
            BarColumn(BAR_WIDTH, finished_style="bar.complete"),
            _Standing(table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            auto_refresh=False,
        )

    def add(self, words: str) -> Bar:
        """One more bar, below the others; how long it is is not known yet."""
        return Bar(self._progress, self._progress.add_task(words, total=None, note=None))

    def render(self) -> RenderableType:
        """The bars as they are now."""
        return self._progress.get_renderable()


class Bar:
    """One of them: a `console.ProgressBar`."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def update(
        self, done: float, total: float | None = None, words: str | None = None, note: str | None = None
    ) -> None:
        """Move it; see `console.ProgressBar`."""
        changes: dict[str, Any] = {"completed": done, "note": note}
        if total is not None:
            changes["total"] = total
        if words is not None:
            changes["description"] = words
        self._progress.update(self._task, **changes)


class _Standing(ProgressColumn):
    """What was noted, else the part that is done and the time that is left."""

    def render(self, task: Task) -> Text:
        note = task.fields["note"]
        if note is not None:
            return Text(note)
        if task.total is None:
            return Text()
        left_s = task.time_remaining
        part = f"{task.percentage:3.0f} %"
        return Text(part if left_s is None or task.finished else f"{part}  {clock_time(left_s)} left")


def clock_time(seconds: float) -> str:
    """Minutes and seconds, rounded up: what is left is 0:00 only when nothing is."""
    whole = int(-(-seconds // 1))
    return f"{whole // 60}:{whole % 60:02d}"
