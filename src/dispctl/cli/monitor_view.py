"""The log of one or several boards for a person: filtered, tracebacks folded, paused at will, a live line at its foot."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dispctl.logs.board_status import BoardStatus
from dispctl.operations.monitor import Attached, Detached, LineSeen, Reattached

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispctl.cli.log_view import LogView
    from dispctl.logs.filter import LineFilter
    from dispctl.operations.monitor import MonitorEvent

MOST_PAUSED_LINES = 10_000
_MARKED = {
    Detached: "the board is gone; waiting for it",
    Reattached: "the board is back after {event.gap_s:.1f} s",
}


class MonitorView:
    """Shows what passes `shown`; `fold` hides all but the innermost frame of a traceback and names its source."""

    def __init__(
        self,
        view: LogView,
        shown: LineFilter,
        boards: Sequence[str],
        *,
        fold: bool,
        tell: Callable[[str], None],
    ) -> None:
        self.shown = shown
        self.question: str | None = None
        self.recording: str | None = None
        self.hears_keys = False
        self.resets = False
        self._view = view
        self._tell = tell
        self._statuses = dict.fromkeys(boards, BoardStatus())
        self._gone_since_s: dict[str, float] = {}
        self._folds = {board: _Fold() for board in boards} if fold else {}
        self._paused: deque[tuple[str, MonitorEvent]] | None = None
        self._dropped = 0

    @property
    def statuses(self) -> dict[str, BoardStatus]:
        """How each board stands."""
        return self._statuses

    def show(self, board: str, event: MonitorEvent) -> None:
        """Show one event of `board`, or keep it while paused."""
        self._learn(board, event)
        if self._paused is None:
            self._show(board, event)
            return
        if len(self._paused) == MOST_PAUSED_LINES:
            self._paused.popleft()
            self._dropped += 1
        self._paused.append((board, event))

    def pause_or_go_on(self) -> None:
        """Stop showing, or show what came meanwhile."""
        if self._paused is None:
            self._paused = deque()
            return
        waiting, self._paused = self._paused, None
        if self._dropped:
            self.remark(f"{self._dropped} lines of the pause were too many to keep for the screen")
        self._dropped = 0
        for board, event in waiting:
            self._show(board, event)

    def switch_times(self, time_format: str) -> None:
        """Show times, or no longer."""
        self._view.time_format = None if self._view.time_format else time_format

    def remark(self, words: str) -> None:
        """Say something between the lines."""
        self._view.mark(words)

    def explain(self, lines: Sequence[str]) -> None:
        """Say something longer."""
        for line in lines:
            self._view.note(line)

    def settle(self) -> None:
        """Bring the foot up to date."""
        self._view.settle(self._foot_words())

    def close(self) -> None:
        """Show what is held back, and leave the terminal in order."""
        if self._paused is not None:
            self.pause_or_go_on()
        for board, fold in self._folds.items():
            self._show_all(board, fold.rest())
        self._view.close()

    def _learn(self, board: str, event: MonitorEvent) -> None:
        if isinstance(event, LineSeen):
            if event.log.event is not None:
                moment_s = event.moment.monotonic_s if event.moment else 0.0
                self._statuses[board] = self._statuses[board].after(event.log, moment_s)
        elif isinstance(event, Detached):
            self._gone_since_s[board] = event.moment.monotonic_s
        else:
            self._gone_since_s.pop(board, None)

    def _show(self, board: str, event: MonitorEvent) -> None:
        if isinstance(event, LineSeen):
            if self.shown.passes(event.log, event.text):
                fold = self._folds.get(board)
                if fold is None:
                    self._view.show(event, board)
                else:
                    self._show_all(board, fold.take(event))
            return
        if board in self._folds:
            self._show_all(board, self._folds[board].rest())
        if isinstance(event, Attached):
            self._view.step_aside()
            way_out = "Ctrl-]" if self.hears_keys else "Ctrl-C"
            reset = "after a reset" if self.resets else "without a reset"
            self._tell(f"Watching {event.port}, {reset}. {way_out} leaves.")
        else:
            self._view.mark(_MARKED[type(event)].format(event=event), event.moment, board)

    def _show_all(self, board: str, shown: Sequence[LineSeen | str]) -> None:
        for each in shown:
            if isinstance(each, str):
                self._view.note(each, board)
            else:
                self._view.show(each, board)

    def _foot_words(self) -> str:
        if self.question is not None:
            return self.question
        now_s = time.monotonic()
        boards = [self._board_words(board, now_s) for board in self._statuses]
        words = [" ║ ".join(boards)]
        if self._paused is not None:
            words.append(f"PAUSED, {len(self._paused) + self._dropped} waiting")
        if filtered := self.shown.described():
            words.append(f"only {filtered}")
        if self.recording is not None:
            words.append(f"log {self.recording}")
        words.append("Ctrl-] quits, Ctrl-T h helps" if self.hears_keys else "Ctrl-C quits")
        return "  ·  ".join(words)

    def _board_words(self, board: str, now_s: float) -> str:
        name = f"{board}: " if len(self._statuses) > 1 else ""
        if board in self._gone_since_s:
            return f"{name}gone for {now_s - self._gone_since_s[board]:.0f} s"
        return name + self._statuses[board].summary(now_s)


@dataclass
class _Fold:
    """Holds a traceback's frames back until the next one, or what follows them, has come."""

    _held: LineSeen | None = None
    _hidden: int = 0

    def take(self, line: LineSeen) -> list[LineSeen | str]:
        """What is to be shown now: lines, and remarks on the one before."""
        if line.log.event == "traceback_frame" and line.ends:
            self._hidden += self._held is not None
            self._held = line
            return []
        shown = self.rest()
        return [*shown, line]

    def rest(self) -> list[LineSeen | str]:
        """What is held back, because the traceback is over."""
        held, hidden = self._held, self._hidden
        self._held, self._hidden = None, 0
        if held is None:
            return []
        shown: list[LineSeen | str] = [f"{hidden} outer frame{'s' * (hidden > 1)} folded"] if hidden else []
        shown.append(held)
        if held.source is not None:
            doubt = "" if held.source.certain else "  (if the board runs this version)"
            shown += [held.source.code, f"{held.source.path}:{held.source.line}{doubt}"]
        return shown


def next_level(shown: LineFilter, levels: Sequence[str]) -> LineFilter:
    """The same filter for the next level, after the last the first again."""
    return replace(shown, level=levels[(levels.index(shown.level) + 1) % len(levels)])
