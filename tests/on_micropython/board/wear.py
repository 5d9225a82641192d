"""What the saved state costs in flash, beside two other honest ways: `micropython wear.py ROOT`; a JSON line each.

The alternatives save at the same moments. "rename": the whole state as phase 2 has it (payload and log in JSON) goes to
a temporary file that is renamed over the last one. "append": one record of 16 bytes a checkpoint goes to the end of a
journal that is removed with the job.
"""

import json
import struct
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[1] + "/src/dispctl")

from tests.on_micropython.board.only_littlefs import job_of, make_world
from tests.on_micropython.board.world import firmware

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

JOBS = ((1, 0.2, 40), (1, 5.0, 30), (4, 5.0, 15), (20, 2.0, 5), (4, 175.0, 2))
_JOURNAL = "job_state.journal"

persistence = firmware("job_persistence")
save_item, clear_job = persistence.save_item, persistence.clear_job


def save_renamed(storage: "Any", state: "Any", index: int) -> None:
    """The whole state, in a new file renamed over the old."""
    payload = firmware("job_state").restore_job(storage.read("job_state"))[1]
    done = [state.log_entry(number) for number in range(state.total) if state.codes[number] > 1]
    whole = {
        "job_id": state.job.id,
        "total": state.total,
        "done": state.done,
        "failed": state.failed,
        "ts_inicio": state.ts_inicio,
        "item": index,
        "poured_ms": state.poured_ms[index],
        "json": str(payload, "utf-8"),
        "log": done,
    }
    storage.write("job_state.tmp", json.dumps(whole).encode())
    storage.rename("job_state.tmp", "job_state.whole")


def save_appended(storage: "Any", state: "Any", index: int) -> None:
    """One more record in the journal."""
    record = struct.pack("<IHHII", state.job.id, index, state.codes[index], state.poured_ms[index], 0)
    storage.append(_JOURNAL, record)


def clear_with_journal(storage: "Any", retained: "Any", state: "Any") -> None:
    """The journal ends with its job."""
    clear_job(storage, retained, state)
    storage.remove(_JOURNAL)


WAYS = (
    ("this firmware", save_item, clear_job),
    ("rename", save_renamed, clear_job),
    ("append", save_appended, clear_with_journal),
)


def measure(way: "Any", count: int, seconds: float, jobs: int) -> "dict[str, Any]":
    """Erases and bytes of `jobs` jobs of `count` items, after one that makes the files."""
    name, save, clear = way
    persistence.save_item = firmware("pour").save_item = save
    persistence.clear_job = clear
    world = make_world()
    world.run_job(job_of(count, 0.2, 1))
    chip = world.storage.chip  # type: ignore[attr-defined]
    erases, programmed = chip.erases, chip.programmed_bytes
    for number in range(jobs):
        world.run_job(job_of(count, seconds, 2 + number))
    items = jobs * count
    return {
        "way": name,
        "items": count,
        "seconds": seconds,
        "erases_per_item": (chip.erases - erases) / items,
        "erases_per_second": (chip.erases - erases) / (items * seconds),
        "bytes_per_item": (chip.programmed_bytes - programmed) / items,
        "bytes_per_second": (chip.programmed_bytes - programmed) / (items * seconds),
    }


for each in JOBS:
    for way in WAYS:
        print(json.dumps(measure(way, *each)))
