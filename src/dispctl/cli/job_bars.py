"""A bar for a job and one for each of its steps, and a line for each step that ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dispctl.cli.backend_view import STATUS_SIGNS, quantity, status_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dispctl.adapters.backend_records import JobItem
    from dispctl.cli.console import Console, ProgressBar
    from dispctl.operations.pour_estimate import Estimate

ENDED = ("done", "failed", "canceled")
ESTIMATED = "≈"
WAITS = "waits"
OVER = f"{ESTIMATED} over"


class JobBars:
    """Moved by what is known; what is not known but should be so by the plan is marked with `ESTIMATED`, and never done."""

    def __init__(self, console: Console, bars: Mapping[str, ProgressBar], items: Sequence[JobItem]) -> None:
        self._console = console
        self._headline = bars[""]
        self._bars = {item.position: bars[words_of(item, len(items))] for item in items}
        self._items = items
        self._ended: set[int] = set()
        for item in items:
            self.change(item)  # a job sent earlier may have steps that are over

    def tell(self, words: str, note: str) -> None:
        """What is known of the job as a whole, and behind its bar."""
        self._headline.update(0, words=words, note=note)

    def tell_estimate(self, words: str, expected: Estimate) -> None:
        """How far the job should be by its plan; steps that have ended stay as they are."""
        left = (
            f"{ESTIMATED} {expected.left_s:.0f} s left" if expected.left_s else "waits for the board's report"
        )
        self._headline.update(expected.total_s - expected.left_s, expected.total_s, words, left)
        for item, poured_s in zip(self._items, expected.poured_s, strict=True):
            if item.position not in self._ended:
                self._bars[item.position].update(
                    poured_s, item.duration_s, note=_estimated(poured_s, item.duration_s)
                )

    def pour(self, position: int, poured_ms: int, asked_ms: int) -> None:
        """A step is under way, and those before it are over: the board says so."""
        for earlier in range(1, position):
            self._bars[earlier].update(1, 1, note="over")
        self._bars[position].update(min(poured_ms, asked_ms), max(asked_ms, 1))

    def change(self, item: JobItem) -> None:
        """A step has another status; one that has ended leaves a line."""
        done = float(item.status == "done")
        if item.status not in ENDED:
            self._bars[item.position].update(done, 1, note=WAITS if item.status == "queued" else item.status)
            return
        self._ended.add(item.position)
        self._bars[item.position].update(done, 1, note=f"{STATUS_SIGNS[item.status]} {item.status}")
        line = status_text(item.status)
        line.append(f"  {words_of(item, len(self._items))}")
        self._console.message(line)


def _estimated(poured_s: float, asked_s: float) -> str:
    if poured_s <= 0:
        return WAITS
    return OVER if poured_s >= asked_s else f"{ESTIMATED} {100 * poured_s / asked_s:.0f} %"


def words_of(item: JobItem, total: int) -> str:
    """A step in a few words."""
    return f"{item.position}/{total} {item.spice}, {quantity(item.grams, 'g')}"


@contextmanager
def job_bars(console: Console, items: Sequence[JobItem]) -> Iterator[JobBars]:
    """The bars, while the block runs and where there is a terminal."""
    names = ["", *(words_of(item, len(items)) for item in items)]
    with console.progress_lines(names) as bars:
        yield JobBars(console, bars, items)
