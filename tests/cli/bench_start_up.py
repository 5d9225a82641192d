"""How long dispctl takes to begin, beside esptool and an import of Typer: ``python tests/cli/bench_start_up.py [ROUNDS]``.

The programs take turns, so that what else the machine does meets them alike; shown is each one's median. Ends with 1 if
dispctl takes longer than esptool or than 1.5 times the import of Typer.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
TYPER, ESPTOOL = "import typer", "esptool --help"
FACTOR = 1.5

PROGRAMS: dict[str, tuple[list[str], dict[str, str]]] = {
    TYPER: ([sys.executable, "-c", "import typer"], {}),
    ESPTOOL: ([str(BIN / "esptool"), "--help"], {}),
    "dispctl --help": ([str(BIN / "dispctl"), "--help"], {}),
    "dispctl --version": ([str(BIN / "dispctl"), "--version"], {}),
    "completion in bash": (
        [str(BIN / "dispctl")],
        {"_DISPCTL_COMPLETE": "complete_bash", "COMP_WORDS": "dispctl s", "COMP_CWORD": "1"},
    ),
    "completion in zsh": (
        [str(BIN / "dispctl")],
        {"_DISPCTL_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "dispctl s"},
    ),
}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """How long one run takes, from its start to its end."""
    began = time.perf_counter()
    subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main(rounds: int) -> int:
    """Measure and print; returns the exit code."""
    measured: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            measured[name].append(seconds(*program))
    medians = {name: statistics.median(times) for name, times in measured.items()}
    limit = min(medians[ESPTOOL], FACTOR * medians[TYPER])
    for name, median in medians.items():
        print(f"{median * 1000:6.0f} ms  {median / medians[TYPER]:5.2f} x  {name}")
    print(f"{limit * 1000:6.0f} ms  is allowed")
    return int(any(median > limit for name, median in medians.items() if name not in (TYPER, ESPTOOL)))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
