"""How a monitor takes a flood: every line once and in order, at what cost, beside other monitors in the same run.

    python -m tests.cli.measure.throughput [--megabytes 60] [--baud 921600 --seconds 20] [--beside PYTHON]

A pseudo-terminal is the cable; pacing is off unless --baud is given. PYTHON is an interpreter that has esp-idf-monitor
and pyserial. Each monitor's output goes into a file, its keyboard is a second pseudo-terminal, as miniterm wants one.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import resource
import select
import subprocess
import sys
import tempfile
import threading
import time
import tty
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

QUIT_KEY = b"\x1d"
START_TIMEOUT_S = 30
END_TIMEOUT_S = 600
GREETING_INTERVAL_S = 0.005
_IDF_ON_A_PTY = """
import runpy, sys
from serial import Serial
# A pseudo-terminal has no DTR and RTS; this monitor sets them after opening, and takes their absence for a lost port.
Serial._update_dtr_state = Serial._update_rts_state = lambda port: None
sys.argv[0] = "esp_idf_monitor"
runpy.run_module("esp_idf_monitor", run_name="__main__")
"""
_BLOCK_LINES = 500
_NUMBER = re.compile(rb"line ([0-9]{8}) of the log")


@dataclass(frozen=True)
class Outcome:
    """One monitor's run; `lost`, `repeated` and `misplaced` count lines. Memory is the resident set."""

    monitor: str
    megabytes: float
    lines: int
    lost: int
    repeated: int
    misplaced: int
    start_s: float
    cpu_s_per_mb: float
    wall_s: float
    memory_early_mb: float
    memory_late_mb: float


def line(number: int) -> bytes:
    """A line as long as the firmware's are."""
    return b"[EXEC] line %08d of the log: Frasco 2 por 5.000s \xe2\x9c\x93\r\n" % number


class Cable:
    """The board's end of a pseudo-terminal; `written` is how far the flood has got, in bytes."""

    def __init__(self) -> None:
        self._board, terminal = pty.openpty()
        tty.setraw(terminal)
        self.name = os.ttyname(terminal)
        self._terminal = terminal
        self.written = 0

    def greet_until(self, seen: Path, running: subprocess.Popen[bytes]) -> None:
        """Print lines until the monitor shows one."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (seen.exists() and b"hello" in seen.read_bytes()):
            assert running.poll() is None, f"the monitor ended: {seen.read_bytes()[-500:]!r}"
            assert time.monotonic() < deadline, f"nothing shown: {seen.read_bytes()[-500:]!r}"
            self._write(b"hello\r\n")
            time.sleep(GREETING_INTERVAL_S)

    def flood(self, lines: int, bytes_per_s: float | None) -> None:
        """Print `lines` numbered lines, as fast as they are taken or at a pace."""
        began_s = time.monotonic()
        for first in range(0, lines, _BLOCK_LINES):
            block = b"".join(line(number) for number in range(first, min(lines, first + _BLOCK_LINES)))
            self._write(block)
            self.written += len(block)
            if bytes_per_s is not None:
                time.sleep(max(0.0, began_s + self.written / bytes_per_s - time.monotonic()))

    def close(self) -> None:
        """Unplug."""
        os.close(self._board)
        os.close(self._terminal)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._board, data) :]


def measure(name: str, command: list[str], *, lines: int, bytes_per_s: float | None) -> Outcome:
    """Start the monitor on a cable of its own, flood it, and look at what it showed."""
    cable = Cable()
    keyboard, keys = pty.openpty()
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / "shown"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began_s = time.monotonic()
        with shown.open("wb") as out:
            running = subprocess.Popen(
                [*command, cable.name],
                stdin=keys,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        cable.greet_until(shown, running)
        start_s = time.monotonic() - began_s
        flooding = threading.Thread(target=cable.flood, args=(lines, bytes_per_s))
        flood_s = time.monotonic()
        flooding.start()
        size = lines * len(line(0))
        early_mb = memory_when(running, lambda: cable.written >= size // 6)
        flooding.join()
        late_mb = memory_when(running, lambda: line(lines - 1)[:30] in tail(shown))
        wall_s = time.monotonic() - flood_s
        os.write(keyboard, QUIT_KEY)
        running.wait(START_TIMEOUT_S)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        numbers = [int(found) for found in _NUMBER.findall(shown.read_bytes())]
    cable.close()
    os.close(keyboard)
    os.close(keys)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Outcome(
        name, size / 1e6, lines, lines - len(set(numbers)), len(numbers) - len(set(numbers)),
        sum(later < earlier for earlier, later in pairwise(numbers)),
        round(start_s, 2), round(cpu_s / (size / 1e6), 3), round(wall_s, 1), early_mb, late_mb,
    )  # fmt: skip


def memory_when(running: subprocess.Popen[bytes], reached: object) -> float:
    """The monitor's memory in MB once something is `reached` (a callable)."""
    assert callable(reached)
    deadline = time.monotonic() + END_TIMEOUT_S
    while not reached():
        assert running.poll() is None, "the monitor ended"
        assert time.monotonic() < deadline, "the monitor did not show the last line"
        select.select([], [], [], 0.05)
    status = Path(f"/proc/{running.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+([0-9]+) kB", status)
    return round(int(found[1]) / 1000, 1) if found else 0.0


def tail(shown: Path) -> bytes:
    """The end of a file."""
    with shown.open("rb") as file:
        file.seek(max(0, shown.stat().st_size - 1000))
        return file.read()


def monitors(beside: str | None) -> dict[str, list[str]]:
    """Commands that take the port as their last word."""
    own = {"dispctl monitor": [sys.executable, "-m", "dispctl", "monitor", "-p"]}
    if beside is None:
        return own
    return own | {
        "esp-idf-monitor": [beside, "-c", _IDF_ON_A_PTY, "--no-reset", "-p"],
        "pyserial miniterm": [beside, "-m", "serial.tools.miniterm", "--raw"],
    }


def main() -> None:
    """Measure each monitor and print an outcome a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=float, default=60)
    parser.add_argument("--baud", type=int)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--beside", metavar="PYTHON")
    wanted = parser.parse_args()
    bytes_per_s = wanted.baud / 10 if wanted.baud else None
    size = bytes_per_s * wanted.seconds if bytes_per_s else wanted.megabytes * 1e6
    for name, command in monitors(wanted.beside).items():
        outcome = measure(name, command, lines=int(size / len(line(0))), bytes_per_s=bytes_per_s)
        print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    main()
