"""The largest job in a small heap, and many jobs in a row: `micropython -X heapsize=… memory.py ROOT largest|COUNT`.

The stand-ins of `world` live in the same heap, so the firmware has less of it than a board's. Words are 8 bytes here and
4 on the ESP32; the smallest piece of heap is 32 bytes here and 16 there.
"""

import gc
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[1] + "/src/dispctl")

from firmware.loading import load_modules

load_modules("firmware")  # as `main` does, before anything else
_before = gc.mem_alloc()  # type: ignore[attr-defined]
from tests.on_micropython.board.world import World, make_job  # noqa: E402 - its size is measured

gc.collect()
STAND_IN_CODE = gc.mem_alloc() - _before  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST_BYTES = 4096
JOBS_TO_SETTLE = 40


class Peak:
    """The most that was in use, garbage not counted, and where that was; looked at in calls of the parts."""

    def __init__(self) -> None:
        self.used = 0
        self.where = ""

    def watch(self, part: "Any", name: str, label: str) -> None:
        """Look before and after each call of this method."""
        method = getattr(part, name)

        def watched(*arguments: "Any", **options: "Any") -> "Any":
            self.look("before " + label)
            result = method(*arguments, **options)
            self.look("after " + label)
            return result

        setattr(part, name, watched)

    def look(self, where: str) -> None:
        """Count what is in use now."""
        gc.collect()
        used = gc.mem_alloc()  # type: ignore[attr-defined]
        if used > self.used:
            self.used, self.where = used, where


def largest_job() -> "tuple[bytes, int]":
    """A payload of 4,096 bytes with as many items as fit, and how many those are."""
    count = 1
    while len(_payload(count + 1, 0)) <= LARGEST_BYTES:
        count += 1
    return _payload(count, LARGEST_BYTES - len(_payload(count, 0))), count


def _payload(count: int, filler_bytes: int) -> bytes:
    return json.dumps(make_job(7, seconds=(0.2,) * count, filler="x" * filler_bytes)).encode()


def run_largest() -> None:
    """Print heap, peak, and what was free before and after."""
    before = gc.mem_alloc()  # type: ignore[attr-defined]
    world = World()
    world.backend.poll_wait = "25"
    payload, items = largest_job()
    gc.collect()
    stand_ins = STAND_IN_CODE + gc.mem_alloc() - before  # type: ignore[attr-defined]
    world.run(lambda: world.dispenser.state == "online" and world.backend.heartbeats > 0)
    world.backend.raw_job = payload
    gc.collect()
    idle, size = gc.mem_alloc(), gc.mem_alloc() + gc.mem_free()  # type: ignore[attr-defined]
    peak = Peak()
    for poll in ("next_job", "await_job"):
        peak.watch(world.dispenser.parts.backend, poll, "GET next_job")
    peak.watch(world.dispenser.parts.backend, "complete", "the report")
    peak.watch(world.storage, "write", "a write to flash")
    peak.watch(world.outputs, "open", "opening a jar")
    peak.watch(world.serial, "write", "a line of the log")
    world.run(lambda: 7 in world.backend.reports)
    world.backend.raw_job = None
    assert world.backend.reports[7]["itens_completados"] == items
    print(
        json.dumps(
            {
                "heap": size,
                "stand_ins": stand_ins,
                "payload": LARGEST_BYTES,
                "items": items,
                "idle": idle,
                "peak": peak.used,
                "where": peak.where,
            }
        )
    )


def forget_the_past(world: World) -> None:
    """The stand-ins keep what happened; the firmware must not."""
    for kept in (
        world.serial.lines,
        world.serial.writes,
        world.outputs.openings,
        world.outputs.vibrations,
        world.system.interrupts,
        world.backend.requests,
        world.backend.reports,
    ):
        kept.clear()


def run_many(count: int) -> None:
    """Print what is in use after the first jobs, and after all."""
    world = World()
    settled = 0
    for job_id in range(1, count + 1):
        world.run_job(make_job(job_id, seconds=(0.2, 0.2)))
        forget_the_past(world)
        if job_id == min(JOBS_TO_SETTLE, count // 2):
            gc.collect()
            settled = gc.mem_alloc()  # type: ignore[attr-defined]
    gc.collect()
    print(json.dumps({"jobs": count, "settled": settled, "after": gc.mem_alloc()}))  # type: ignore[attr-defined]


if sys.argv[2] == "largest":
    run_largest()
else:
    run_many(int(sys.argv[2]))
