"""Every cut and random histories on the real MicroPython and a real littlefs: `python -m tests.firmware.sweep`.

A four-item job is cut at every flash operation (whole and torn) and at every 50 ms, and reset at every 50 ms; then come
random histories of several cuts, resets, Wi-Fi changes, lost answers and backend errors; then the same with firmwares
that are broken on purpose. Time is virtual. A history that fails is printed short, with its seed: `--seed N
--histories 1` replays it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "on_micropython" / "board" / "sweep.py"
MICROPYTHON = Path(sys.executable).parent / "micropython"
HEAP = "16m"
BREAKAGES = (
    "log-in-ram",
    "no-checkpoints",
    "no-retained",
    "not-saved-first",
    "clearing-swapped",
    "result-before-pouring",
    "not-synced",
)
MAX_FAILURES = 3
SOUND = "-"


@dataclass
class Outcome:
    """How many histories were tried, with how many cuts and resets; and those that failed, as they were printed."""

    histories: int = 0
    cuts: int = 0
    resets: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Take over a line that the script printed; finalisers print others."""
        if not line.startswith("{"):
            return
        told = json.loads(line)
        if "tried" not in told:
            self.failures.append(told)
            return
        self.histories += told["tried"]["histories"]
        self.cuts += told["tried"]["cuts"]
        self.resets += told["tried"]["resets"]

    def __str__(self) -> str:
        return f"{self.histories} histories, {self.cuts} cuts, {self.resets} resets, {len(self.failures)} failures"


def cuts(*, step: int = 1, breakage: str = SOUND, workers: int = 1) -> Outcome:
    """Every `step`th of the cuts and resets of a four-item job."""
    shares = [["cuts", str(worker * step), "0", str(workers * step)] for worker in range(workers)]
    return _run(shares, breakage)


def histories(first: int, count: int, *, breakage: str = SOUND, workers: int = 1) -> Outcome:
    """The random histories of the seeds from `first` on."""
    last = str(first + count - 1)
    shares = [["histories", str(first + worker), last, str(workers)] for worker in range(workers)]
    return _run(shares, breakage)


def _run(shares: Sequence[list[str]], breakage: str) -> Outcome:
    """All shares at once; a broken firmware needs to fail once only."""
    most = MAX_FAILURES if breakage == SOUND else 1
    outcome = Outcome()
    with ThreadPoolExecutor(len(shares)) as pool:
        for output in pool.map(lambda share: _interpret([*share, breakage, str(most)]), shares):
            for line in output.splitlines():
                outcome.add(line)
    return outcome


def _interpret(arguments: list[str]) -> str:
    """What the script prints; raises RuntimeError when it does not come to its end."""
    command = [str(MICROPYTHON), "-X", f"heapsize={HEAP}", str(SCRIPT), str(ROOT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or '"tried"' not in done.stdout:
        raise RuntimeError(f"exit {done.returncode}: {done.stdout[-2000:]} {done.stderr[-1000:]}")
    return done.stdout


def caught_by(breakage: str, *, histories_tried: int = 200) -> str:
    """The history in which this broken firmware fails, in words; "" if there is none."""
    outcome = cuts(breakage=breakage)
    if not outcome.failures:
        outcome = histories(1, histories_tried, breakage=breakage)
    return _words(outcome.failures[0]) if outcome.failures else ""


def _words(failure: dict[str, Any]) -> str:
    seed = "every cut" if failure["seed"] is None else f"--seed {failure['seed']} --histories 1"
    return f"{seed}: {failure['history']}\n    {failure['failure']}"


def main() -> int:
    """Run it all, print it, and return 1 if the firmware fails or a broken one does not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--histories", type=int, default=2000, help="how many random histories")
    parser.add_argument("--seed", type=int, default=1, help="the first one's seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--only-histories", action="store_true", help="neither every cut nor broken firmwares"
    )
    parser.add_argument("--broken", choices=BREAKAGES, help="run the histories with this broken firmware")
    options = parser.parse_args()
    failed = False
    if not options.only_histories and options.broken is None and options.histories > 1:
        failed = _report("every cut", cuts(workers=options.workers))
        failed = _report_broken() or failed
    workers = min(options.workers, options.histories)
    breakage = options.broken or SOUND
    outcome = histories(options.seed, options.histories, breakage=breakage, workers=workers)
    return int(_report(f"seeds from {options.seed} on", outcome) or failed)


def _report(title: str, outcome: Outcome) -> bool:
    print(f"{title}: {outcome}", flush=True)
    for failure in outcome.failures:
        print("  " + _words(failure))
    return bool(outcome.failures)


def _report_broken() -> bool:
    missed = False
    for breakage in BREAKAGES:
        caught = caught_by(breakage)
        missed = missed or not caught
        print(f"broken on purpose, {breakage}: {'caught' if caught else 'NOT CAUGHT'}", flush=True)
        print(f"  {caught}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
