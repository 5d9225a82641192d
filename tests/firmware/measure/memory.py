"""The heap of the largest job, and of many jobs in a row: `python -m tests.firmware.measure.memory --jobs 1000`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tests.firmware.measure.interpreter import ROOT, compiled, run_script

BOARD_HEAP_BYTES = 100 * 1024
WORD_RATIO = 2
"""Words, pointers and the smallest piece of heap are twice as large on the 64-bit host; payloads are not."""
STAND_INS_BYTES = 33 * 1024


def largest_job(root: Path = ROOT) -> dict[str, Any]:
    """What `memory.py` tells about the largest job in a heap like the board's; RuntimeError if it does not fit."""
    heap = str(BOARD_HEAP_BYTES * WORD_RATIO + STAND_INS_BYTES)
    return run_script("memory", "largest", heap=heap, root=root)[0]


def many_jobs(count: int, root: Path = ROOT) -> dict[str, Any]:
    """What is in use after the first jobs, and after `count`."""
    return run_script("memory", str(count), heap="1m", root=root)[0]


def main() -> None:
    """Print both, of the firmware as bytecode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = compiled(Path(folder))
        show(largest_job(root), many_jobs(options.jobs, root))


def show(told: dict[str, Any], many: dict[str, Any]) -> None:
    """Print what both told."""
    firmware = {key: (told[key] - told["stand_ins"]) // 1024 for key in ("heap", "idle", "peak")}
    print(f"job of {told['payload']} bytes, {told['items']} items, 64-bit heap of {firmware['heap']} KB:")
    print(f"  {firmware['idle']} KB in use before it, at most {firmware['peak']} KB, {told['where']}")
    print("  half of that on the ESP32, where words have 4 bytes")
    print(
        f"{many['jobs']} jobs in a row: {many['settled']} bytes in use after the first, {many['after']} at the end"
    )


if __name__ == "__main__":
    main()
