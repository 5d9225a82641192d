"""Random histories of cuts, resets, Wi-Fi changes, lost answers and backend errors: whatever happens, one job, done once.

A failing history is printed short by Hypothesis, with the line that replays it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.on_micropython.board.world import World, make_job

CHECKPOINT_MS = 1_060
RETAINED_MS = 160
ATTEMPTS = 8

Kind = Literal["cut", "reset", "wifi off", "wifi on"]
FAULTS = ["ok", "refuse", "lost", "drop", "hang", "half", "cut", "500", "503", "429"]


@dataclass(frozen=True)
class Event:
    """Something that happens to the board `at_ms` after it was given the job."""

    at_ms: int
    kind: Kind

    def arrange(self, world: World) -> None:
        """Put it into the world's future."""
        actions = {
            "cut": world.mains.cut,
            "reset": world.mains.reset,
            "wifi off": lambda: setattr(world.radio, "up", False),
            "wifi on": lambda: setattr(world.radio, "up", True),
        }
        world.clock.at(self.at_ms, actions[self.kind])


kinds: st.SearchStrategy[Kind] = st.sampled_from(["cut", "reset", "wifi off", "wifi on"])
events = st.lists(st.builds(Event, st.integers(0, 40_000), kinds), max_size=8)
doses = st.lists(st.sampled_from([0.2, 0.9, 1.0, 1.4, 1.5, 2.7, 6.0]), min_size=1, max_size=5)


@dataclass(frozen=True)
class Network:
    """What the next requests meet, and the next reports; `poll_wait` is offered to polls, where it is not empty."""

    faults: list[str]
    report_faults: list[str]
    poll_wait: str


@dataclass(frozen=True)
class FlashCut:
    """The power goes at this flash operation (0: never)."""

    operation: int
    torn: bool


networks = st.builds(
    Network,
    st.lists(st.sampled_from(FAULTS), max_size=6),
    st.lists(st.sampled_from(FAULTS), max_size=4),
    st.sampled_from(["", "2", "25"]),
)
flash_cuts = st.builds(FlashCut, st.integers(0, 60), st.booleans())


@settings(max_examples=60, deadline=None)
@given(doses, events, networks, flash_cuts)
def test_whatever_happens_the_job_ends_done_once(
    seconds: list[float], history: list[Event], network: Network, flash_cut: FlashCut
) -> None:
    world = World()
    world.backend.queue.append(make_job(seconds=tuple(seconds)))
    world.backend.faults = list(network.faults)
    world.backend.report_faults = list(network.report_faults)
    world.backend.poll_wait = network.poll_wait
    world.storage.cut_at = flash_cut.operation
    world.storage.torn = flash_cut.torn
    for event in history:
        event.arrange(world)
    world.clock.at(60_000, lambda: setattr(world.radio, "up", True))
    world.run(lambda: 7 in world.backend.reports and world.idle, 1_200_000)
    check_outcome(world, seconds)


def check_outcome(world: World, seconds: list[float]) -> None:
    """One report with every item once; what was poured is what was asked, but for one interval a cut or reset.

    Failed is only what was interrupted eight times and more.
    """
    logs = world.backend.reports[7]["execution_logs"]
    assert [entry["item_ordem"] for entry in logs] == list(range(1, len(seconds) + 1))
    least_ms = [0, 0, 0, 0]
    for number, entry in enumerate(logs):
        done = entry["status"] == "done"
        assert done or world.interrupted_items.count(number) >= ATTEMPTS, (entry, world.interrupted_items)
        least_ms[number % 4] += int(seconds[number] * 1000) if done else 0
    poured_ms = world.outputs.poured_ms
    assert all(poured >= least for poured, least in zip(poured_ms, least_ms, strict=True)), poured_ms
    allowed_ms = world.cuts * CHECKPOINT_MS + world.resets * RETAINED_MS
    assert sum(poured_ms) <= sum(int(each * 1000) for each in seconds) + allowed_ms + len(seconds)
    assert not world.outputs.any_open
    assert world.watchdog.starved_ms == 0
    assert "job_state" not in world.storage.files
