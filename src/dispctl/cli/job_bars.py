"""A bar for a job and one for each of its steps, and a line for each step that ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dispctl.cli.backend_view import quantity, status_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dispctl.adapters.backend_records import JobItem
    from dispctl.cli.console import Console, ProgressBar

ENDED = ("done", "failed", "canceled")


class JobBars:
    """Moved by what is known: a step's bar stands still until somebody says how far it is."""

    def __init__(self, console: Console, bars: Mapping[str, ProgressBar], items: Sequence[JobItem]) -> None:
        self._console = console
        self._headline = bars[""]
        self._bars = {item.position: bars[words_of(item, len(items))] for item in items}
        self._total = len(items)
        for item in items:
            self.change(item)  # a job sent earlier may have steps that are over

    def tell(self, words: str) -> None:
        """What is known of the job as a whole."""
        self._headline.update(0, words=words)

    def pour(self, position: int, poured_ms: int, asked_ms: int) -> None:
        """A step is under way, and those before it are over."""
        for earlier in range(1, position):
            self._bars[earlier].update(1, 1)
        self._bars[position].update(min(poured_ms, asked_ms), max(asked_ms, 1))

    def change(self, item: JobItem) -> None:
        """A step has another status; one that has ended leaves a line."""
        self._bars[item.position].update(float(item.status == "done"), 1)
        if item.status in ENDED:
            line = status_text(item.status)
            line.append(f"  {words_of(item, self._total)}")
            self._console.message(line)


def words_of(item: JobItem, total: int) -> str:
    """A step in a few words."""
    return f"{item.position}/{total} {item.spice}, {quantity(item.grams, 'g')}"


@contextmanager
def job_bars(console: Console, items: Sequence[JobItem]) -> Iterator[JobBars]:
    """The bars, while the block runs and where there is a terminal."""
    names = ["", *(words_of(item, len(items)) for item in items)]
    with console.progress_lines(names) as bars:
        yield JobBars(console, bars, items)
