"""Watch what boards print: lines as events, until what is waited for has come. Writes nothing to a board.

Knows nothing of how lines are shown or filtered: every line is yielded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dispctl.adapters.port_reader import Closed, Opened, Quiet, Received
from dispctl.errors import DeadlineError, JobEndedBadlyError
from dispctl.logs.events import LogEvent, read_line
from dispctl.logs.job_progress import JobProgress
from dispctl.logs.lines import LineAssembler, SerialLine
from dispctl.logs.tracebacks import TracebackReader
from dispctl.operations.board_sources import BoardSources, SourceLine

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dispctl.adapters.port_reader import Moment, PortItem

UNENDED_AFTER_S = 0.5
"""A line without an end (a prompt) is given out after so long a silence."""


class Recorder(Protocol):
    """Takes every byte as it came."""

    def write(self, data: bytes, /) -> object:
        """Keep `data`."""


@dataclass(frozen=True)
class Attached:
    """The port is open."""

    moment: Moment
    port: str


class LineSeen(NamedTuple):
    """A line of the log, or a piece of one (`begins`, `ends`); `moment`, of its first byte, is None in a raw recording.

    `data` is what came, `text` that made safe to show. `source` is the local source line that a frame of a traceback
    points to. A tuple, as `LogEvent` is.
    """

    text: str
    log: LogEvent
    moment: Moment | None = None
    begins: bool = True
    ends: bool = True
    data: bytes = b""
    source: SourceLine | None = None


@dataclass(frozen=True)
class Detached:
    """The board was unplugged or its port vanished; what it prints now is lost."""

    moment: Moment
    reason: str


@dataclass(frozen=True)
class Reattached:
    """The port is open again after `gap_s` seconds, maybe under another name."""

    moment: Moment
    gap_s: float
    port: str


MonitorEvent = Attached | LineSeen | Detached | Reattached


@dataclass(frozen=True)
class EndCondition:
    """When watching ends; without any of them it does not, but for the time limits.

    A time limit is a failure only where something is waited for (`until`, `until_job_done`).
    """

    until: re.Pattern[str] | None = None
    fail_on: re.Pattern[str] | None = None
    until_job_done: bool = False
    timeout_s: float | None = None
    idle_timeout_s: float | None = None

    @property
    def waits(self) -> bool:
        """Whether something is waited for."""
        return self.until is not None or self.until_job_done


def monitor(
    items: Iterable[PortItem], end: EndCondition | None = None, *, record: Recorder | None = None
) -> Iterator[MonitorEvent]:
    """One board's log; see `monitor_boards`."""
    records = {} if record is None else {"": record}
    for _, event in monitor_boards((("", item) for item in items), [""], end, records=records):
        yield event


def monitor_boards(
    items: Iterable[tuple[str, PortItem]],
    boards: Sequence[str],
    end: EndCondition | None = None,
    *,
    records: Mapping[str, Recorder] | None = None,
    unended_after_s: float = UNENDED_AFTER_S,
) -> Iterator[tuple[str, MonitorEvent]]:
    """The log of each of `boards` from `items`, labelled alike; raw bytes are copied to the board's record, if any.

    Returns when the items end or every board has met `end`. Raises JobEndedBadlyError when a line matches `fail_on` or
    a job awaited ended partial or failed, DeadlineError when what is waited for did not come.
    """
    condition = end or EndCondition()
    watches = {board: _Watch(condition, unended_after_s) for board in boards}
    for board, item in items:
        if records and board in records and isinstance(item, Received):
            records[board].write(item.data)
        for event in watches[board].take(item):
            yield board, event
            if watches[board].judge(event) and all(watch.is_met for watch in watches.values()):
                return
        if watches[board].is_over():
            return
    for board, watch in watches.items():
        for event in watch.rest():
            yield board, event
            watch.judge(event)
        watch.require_nothing_awaited("the log ended")


class _Watch:
    """What is known of one board: the half line, the times that limits are measured from, the job, a traceback."""

    def __init__(self, end: EndCondition, unended_after_s: float) -> None:
        self._end = end
        self._unended_after_s = unended_after_s
        self._assembler: LineAssembler[Moment | None] = LineAssembler()
        self._job = JobProgress()
        self._tracebacks = TracebackReader()
        self._sources = BoardSources()
        self.is_met = False
        self._began_s: float | None = None
        self._heard_s = 0.0
        self._now_s = 0.0
        self._lost_s = 0.0

    def take(self, item: PortItem) -> list[MonitorEvent]:
        """The events that `item` brings."""
        if item.moment is not None:
            self._advance(item.moment.monotonic_s)
        if isinstance(item, Received):
            self._heard_s = self._now_s
            return [*map(self._seen, self._assembler.feed(item.data, item.moment))]
        if isinstance(item, Opened):
            return [self._opened(item)]
        if isinstance(item, Closed):
            self._lost_s = self._now_s
            pieces = [*map(self._seen, self._assembler.restart())]
            self._tracebacks.forget()
            return [*pieces, Detached(item.moment, item.reason)]
        return self._take_silence(item)

    def rest(self) -> list[MonitorEvent]:
        """The last line, when it has no end."""
        return [*map(self._seen, self._assembler.flush())]

    def judge(self, event: MonitorEvent) -> bool:
        """Whether watching has ended well, now or before; raises JobEndedBadlyError when this event ends it badly."""
        if self.is_met or not isinstance(event, LineSeen):
            return self.is_met
        if self._end.fail_on and self._end.fail_on.search(event.text):
            raise JobEndedBadlyError(f"The log has a line to fail on: {event.text}")
        if event.log.event is not None:
            self._job = self._job.after(event.log)
        if self._end.until_job_done and self._job.ended:
            _require_success(self._job)
            self.is_met = True
        if self._end.until and self._end.until.search(event.text):
            self.is_met = True
        return self.is_met

    def is_over(self) -> bool:
        """Whether a time limit has passed; raises DeadlineError when something was still waited for."""
        if self._began_s is None:
            return False
        timeout_s, idle_s = self._end.timeout_s, self._end.idle_timeout_s
        if timeout_s is not None and self._now_s - self._began_s >= timeout_s:
            self.require_nothing_awaited(f"{timeout_s:g} s passed")
            return True
        if idle_s is not None and self._now_s - self._heard_s >= idle_s:
            self.require_nothing_awaited(f"the board printed nothing for {idle_s:g} s")
            return True
        return False

    def require_nothing_awaited(self, what_happened: str) -> None:
        """Raise DeadlineError, beginning with `what_happened`, unless nothing is waited for."""
        if not self._end.waits or self.is_met:
            return
        awaited = (
            "the job's end" if self._end.until is None else f"a line matching '{self._end.until.pattern}'"
        )
        sentence = f"{what_happened} before {awaited} came."
        raise DeadlineError(sentence[0].upper() + sentence[1:], hint=self._where_the_job_is())

    def _where_the_job_is(self) -> str | None:
        job = self._job
        if job.item is None or job.ended:
            return None
        return f"Last seen: job {job.job_id or 'unknown'}, item {job.item} of {job.total}."

    def _advance(self, now_s: float) -> None:
        self._now_s = now_s
        if self._began_s is None:
            self._began_s = self._heard_s = now_s

    def _opened(self, item: Opened) -> MonitorEvent:
        if not item.again:
            return Attached(item.moment, item.port)
        return Reattached(item.moment, self._now_s - self._lost_s, item.port)

    def _take_silence(self, item: Quiet) -> list[MonitorEvent]:
        if item.moment.monotonic_s - self._heard_s < self._unended_after_s:
            return []
        return [*map(self._seen, self._assembler.flush())]

    def _seen(self, line: SerialLine[Moment | None]) -> LineSeen:
        text = line.text
        if not line.begins:
            return LineSeen(
                text, LogEvent(None, "info", text), line.moment, line.begins, line.ends, line.data
            )
        log = read_line(text)
        if log.event is None and not self._tracebacks.inside:  # nearly every line
            return LineSeen(text, log, line.moment, line.begins, line.ends, line.data)
        log = self._tracebacks.read(log)
        self._sources.heed(log)
        source = self._sources.line_of(log)
        if source is not None and log.event == "exception_raised":
            log = log._replace(fields={**log.fields, "source": source.code, "source_path": str(source.path)})
        return LineSeen(text, log, line.moment, line.begins, line.ends, line.data, source)


def _require_success(job: JobProgress) -> None:
    if job.succeeded:
        return
    name = f"job {job.job_id}" if job.job_id is not None else "the job"
    if job.rejected:
        raise JobEndedBadlyError(
            f"The backend refused the report of {name} for good.", hint="See it with: dispctl inspect-flash."
        )
    outcome = "partially" if job.anything_done else "with nothing poured"
    raise JobEndedBadlyError(f"{name.capitalize()} ended {outcome}: {_failed_items(job)}.")


def _failed_items(job: JobProgress) -> str:
    """Their numbers, or how many they are where some failed before the watch began."""
    if job.failed_count is not None and job.failed_count > len(job.failed):
        return f"{job.failed_count} failed item{'s' if job.failed_count > 1 else ''}"
    return f"failed items {', '.join(map(str, sorted(job.failed)))}"
