"""Histories of a board with a real littlefs: what happens to it, how it must end, and the shortest that fails.

A history is the seconds of a job's items and a list of events `(kind, value)`:

    ("cut", ms) ("reset", ms)        the power goes, the chip is reset, at a moment in ms since power-on
    ("wifi off", ms) ("wifi on", ms)
    ("flash", n) ("torn", n)         the power goes at the nth flash operation, which does nothing, or a part
    ("request", word) ("report", word)   what the next request, or report, meets (see `backend.FakeBackend`)
    ("offer", seconds)               the backend lets boards wait for a job
    ("order", ms)                    the job is ordered so late
"""

import json
import random

from .only_littlefs import make_world
from .world import World, make_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Event = tuple[str, Any]

JOB = 7
CHECKPOINT_MS = 1_000
RETAINED_MS = 100
SLACK_MS = 105  # an erase, the write itself, and a slice of waiting
ROUNDING_MS = 2  # an item
ATTEMPTS = 8  # interruptions in a row without getting on, after which an item is given up
WIFI_BACK_MS = 60_000
LIMIT_MS = 1_800_000
FOUR_ITEMS = (0.4, 1.3, 2.5, 0.2)
STEP_MS = 50
_SECONDS = (0.2, 0.35, 0.9, 1.0, 1.05, 1.4, 1.5, 2.7, 6.0)
_FAULTS = ("refuse", "lost", "drop", "hang", "half", "cut", "500", "503", "429", "ok")
_OFFERS_S = (2, 25, 600)
_MOMENTS = ("cut", "cut", "reset", "wifi off", "wifi on")
_LAST_MOMENT_MS = 25_000
_LAST_OPERATION = 60


class History:
    """One of them; `run` raises AssertionError when the board does not end as it must."""

    def __init__(self, seconds: "tuple[float, ...]", events: "list[Event]") -> None:
        self.seconds = seconds
        self.events = events

    def run(self) -> World:
        """Let it happen, and look at the end."""
        world = make_world()
        job = make_job(JOB, seconds=self.seconds)
        world.clock.at(dict(self.events).get("order", 0), lambda: world.backend.queue.append(job))
        for kind, value in self.events:
            _arrange(world, kind, value)
        world.clock.at(WIFI_BACK_MS, lambda: setattr(world.radio, "up", True))
        world.run(lambda: JOB in world.backend.reports and world.idle, LIMIT_MS)
        _hand_out_again(world, self.seconds)
        check_end(world, self.seconds)
        return world

    def describe(self) -> str:
        """Short, in one line."""
        told = [f"{kind} {value}" for kind, value in self.events]
        return f"items of {self.seconds} s; " + (", ".join(told) or "nothing happens")


def _arrange(world: World, kind: str, value: "Any") -> None:
    actions: dict[str, Callable[[], None]] = {
        "cut": world.mains.cut,
        "reset": world.mains.reset,
        "wifi off": lambda: setattr(world.radio, "up", False),
        "wifi on": lambda: setattr(world.radio, "up", True),
    }
    if kind in actions:
        world.clock.at(value, actions[kind])
    elif kind == "request":
        world.backend.faults.append(value)
    elif kind == "report":
        world.backend.report_faults.append(value)
    elif kind == "offer":
        world.backend.poll_wait = str(value)
    elif kind != "order":
        world.storage.chip.cut_at(value, kind == "torn")  # type: ignore[attr-defined]


def _hand_out_again(world: World, seconds: "tuple[float, ...]") -> None:
    """A backend that forgot the report: the board reports again, and `check_end` sees whether it poured again."""
    reported = world.backend.report_count
    world.backend.faults.clear()
    world.backend.report_faults.clear()
    world.backend.queue.append(make_job(JOB, seconds=seconds))
    world.run(lambda: world.backend.report_count > reported and world.idle, LIMIT_MS)


def check_end(world: World, seconds: "tuple[float, ...]") -> None:
    """One completed job, every item once in the report, stock taken off once, poured as asked, nothing open.

    Failed is only what was interrupted eight times and more.
    """
    backend = world.backend
    assert list(backend.reports) == [JOB], backend.reports
    entries = backend.reports[JOB]["execution_logs"]
    assert [entry["item_ordem"] for entry in entries] == list(range(1, len(seconds) + 1))
    for index, entry in enumerate(entries):
        met = world.interrupted_items.count(index)
        assert entry["status"] == "done" or met >= ATTEMPTS, (index, entry, world.interrupted_items)
    done = [entry["status"] == "done" for entry in entries]
    assert backend.reports[JOB]["itens_completados"] == sum(done)
    asked_ms = _by_jar([each * 1000 for each in seconds])
    least_ms = _by_jar([each * 1000 if done[index] else 0 for index, each in enumerate(seconds)])
    taken_g, done_g = backend.taken_g, [each / 500 for each in least_ms]
    assert max([abs(taken_g[jar] - done_g[jar]) for jar in range(4)]) < 0.001, ("stock", taken_g)
    _check_jars(world, least_ms, asked_ms, len(seconds))
    assert not world.outputs.any_open, "a jar is open"
    assert world.watchdog.starved_ms == 0, "the watchdog was starved"


def _check_jars(world: World, least_ms: "list[float]", asked_ms: "list[float]", items: int) -> None:
    """Poured is what was asked and at most one interval more for each interruption that met the jar."""
    for jar in range(4):
        again_ms = ROUNDING_MS * items
        for met, lost_retained in world.mains.interrupted:
            if met == jar + 1:
                again_ms += SLACK_MS + (CHECKPOINT_MS if lost_retained else RETAINED_MS)
        poured_ms = world.outputs.poured_ms[jar]
        bounds = (least_ms[jar], asked_ms[jar] + again_ms)
        assert bounds[0] - ROUNDING_MS < poured_ms <= bounds[1], (
            f"jar {jar + 1} was open {poured_ms} ms; {bounds[0]} to {bounds[1]} are right"
        )


def _by_jar(values: "list[float]") -> "list[float]":
    sums = [0.0, 0.0, 0.0, 0.0]
    for number, value in enumerate(values):
        sums[number % 4] += value
    return sums


def every_cut() -> "list[History]":
    """The four-item job cut at each flash operation, whole and torn, and cut and reset at every 50 ms."""
    whole = History(FOUR_ITEMS, [])
    world = make_world()
    before = world.storage.chip.operations  # type: ignore[attr-defined]
    world = whole.run()
    operations = world.storage.chip.operations - before  # type: ignore[attr-defined]
    histories = []
    for operation in range(1, operations + 1):
        histories += [History(FOUR_ITEMS, [(kind, operation)]) for kind in ("flash", "torn")]
    for moment_ms in range(1, world.clock.now_ms, STEP_MS):
        histories += [History(FOUR_ITEMS, [(kind, moment_ms)]) for kind in ("cut", "reset")]
    return histories


def generate(seed: int) -> History:
    """The history of this seed: always the same one."""
    random.seed(seed)
    seconds = tuple([_pick(_SECONDS) for _ in range(random.randint(1, 5))])
    moments, flash_cuts = random.randint(0, 8), random.randint(0, 3)
    events = [(_pick(_MOMENTS), random.randint(0, _LAST_MOMENT_MS)) for _ in range(moments)]
    events += [(_pick(("flash", "torn")), random.randint(1, _LAST_OPERATION)) for _ in range(flash_cuts)]
    for kind in ("request", "report"):
        events += [(kind, _pick(_FAULTS)) for _ in range(random.randint(0, 4))]
    if random.randint(0, 1):
        events.append(("offer", _pick(_OFFERS_S)))
    if random.randint(0, 2) == 0:
        events.append(("order", random.randint(1, _LAST_MOMENT_MS)))
    return History(seconds, events)


def shrink(history: History) -> "tuple[History, str]":
    """The shortest history found that still fails, by leaving out events, then items; and how it fails."""
    failure = failure_of(history)
    shorter = True
    while shorter:
        shorter = False
        for candidate in _shorter(history):
            found = failure_of(candidate)
            if found:
                history, failure, shorter = candidate, found, True
                break
    return history, failure


def failure_of(history: History) -> str:
    """How it fails, "" if it does not."""
    try:
        history.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure to be told
        words = str(error).split("\n")[0]
        return f"{type(error).__name__}: {words[:160]}"
    return ""


def _shorter(history: History) -> "list[History]":
    events, seconds = history.events, history.seconds
    found = [History(seconds, events[:at] + events[at + 1 :]) for at in range(len(events))]
    if len(seconds) > 1:
        found += [History(seconds[:at] + seconds[at + 1 :], events) for at in range(len(seconds))]
    return found


def _pick(choices: "tuple[Any, ...]") -> "Any":
    return choices[random.randint(0, len(choices) - 1)]


def print_failure(seed: "int | None", history: History) -> None:
    """One JSON object on a line: the seed (None: from `every_cut`), the shortest history, and how it fails."""
    shortest, failure = shrink(history)
    print(json.dumps({"seed": seed, "history": shortest.describe(), "failure": failure}))
