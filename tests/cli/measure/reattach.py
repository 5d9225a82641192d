"""How soon a monitor is back after its cable was pulled, and whether it misses a line after that.

    python -m tests.cli.measure.reattach [--cycles 100] [--board NAME]

The cable is a symbolic link to a pseudo-terminal: pulling it removes both, plugging it in makes a new terminal under
the same name, as udev does. With --board the running virtual board of that name is reset as often as well: its port
stays, and every line from the chip's first to the firmware's has to come.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from dispctl.adapters.port import running_virtual_boards
from dispctl.adapters.simulator import Simulator
from tests.fake_board import FakeBoard

PATIENCE_S = 10
LINES_AFTER = 20
BOOT_EVENTS = ("chip_reset", "firmware_started")


@dataclass
class Watching:
    """``dispctl monitor --json`` in a process of its own; `events` are its lines, with the time each was read."""

    port: str
    events: list[tuple[float, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        command = [sys.executable, "-m", "dispctl", "monitor", "--json", "-p", self.port]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def wait_for(self, name: str, *, after: int = 0, count: int = 1) -> float:
        """When the `count`-th event `name` (or line of that text) beyond the first `after` was read."""
        deadline = time.monotonic() + PATIENCE_S
        with self._grown:
            while True:
                found = [at for at, told in self.events[after:] if name in (told["event"], told["text"])]
                if len(found) >= count:
                    return found[count - 1]
                left_s = deadline - time.monotonic()
                assert left_s > 0, f"{name} did not come; the last: {self.events[-3:]}"
                self._grown.wait(left_s)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _collect(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._grown:
                self.events.append((time.monotonic(), json.loads(line)))
                self._grown.notify_all()


def pull_and_plug(cycles: int) -> tuple[list[float], int]:
    """Seconds from plugging in to reading again, for each cycle, and how many of the lines printed then were lost."""
    taken_s, lost = [], 0
    with tempfile.TemporaryDirectory() as folder:
        cable = Path(folder) / "ttyUSB0"
        board = FakeBoard()
        cable.symlink_to(board.port)
        watching = Watching(str(cable))
        watching.wait_for("port_opened")
        for cycle in range(cycles):
            seen = len(watching.events)
            cable.unlink()
            board.stop()
            watching.wait_for("port_lost", after=seen)
            board = FakeBoard()
            plugged_s = time.monotonic()
            cable.symlink_to(board.port)
            taken_s.append(watching.wait_for("port_reopened", after=seen) - plugged_s)
            lost += lines_lost(board, watching, cycle)
        watching.stop()
        board.stop()
    return taken_s, lost


def lines_lost(board: FakeBoard, watching: Watching, cycle: int) -> int:
    """Print some lines; how many of them do not come."""
    texts = [f"[BOOT] {cycle}.{number}" for number in range(LINES_AFTER)]
    for text in texts:
        board.print(text)
    watching.wait_for(texts[-1])
    seen = [told["text"] for _, told in watching.events]
    return LINES_AFTER - sum(seen.count(text) == 1 for text in texts)


def reset_board(name: str, cycles: int) -> int:
    """How many of the resets' boot lines did not come; the port has to stay open all the time."""
    (entry,) = (board for board in running_virtual_boards() if board.name == name)
    watching = Watching(entry.cable)
    watching.wait_for("port_opened")
    missed = 0
    with Simulator(entry.control) as control:
        for _ in range(cycles):
            seen = len(watching.events)
            control.request("reset", cause="en")
            watching.wait_for("firmware_started", after=seen)
            events = [told["event"] for _, told in watching.events[seen:]]
            missed += sum(events.count(event) != 1 for event in BOOT_EVENTS) + events.count("port_lost")
    watching.stop()
    return missed


def main() -> None:
    """Measure and print one JSON object for each kind of cycle."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--board", metavar="NAME")
    wanted = parser.parse_args()
    taken_s, lost = pull_and_plug(wanted.cycles)
    quantiles = statistics.quantiles(taken_s, n=100)
    told = {"cycles": wanted.cycles, "median_s": statistics.median(taken_s), "p99_s": quantiles[98]}
    print(json.dumps({**told, "longest_s": max(taken_s), "lines_lost": lost}))
    if wanted.board:
        print(json.dumps({"resets": wanted.cycles, "missed": reset_board(wanted.board, wanted.cycles)}))


if __name__ == "__main__":
    main()
