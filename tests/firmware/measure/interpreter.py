"""Runs the scripts in `tests/on_micropython/board` on the real MicroPython. Knows nothing of what they measure."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from dispctl.operations.firmware_package import BYTECODE_SUFFIX, bytecode_package

ROOT = Path(__file__).resolve().parents[3]
BOARD = ROOT / "tests" / "on_micropython" / "board"
MICROPYTHON = Path(sys.executable).parent / "micropython"


def compiled(folder: Path) -> Path:
    """A root like this repository's whose firmware is bytecode, as boards get it."""
    target = folder / "src" / "dispctl" / "firmware"
    target.mkdir(parents=True)
    for path, data in bytecode_package().files.items():
        if path.endswith(BYTECODE_SUFFIX):
            (target / path.rpartition("/")[2]).write_bytes(data)
    shutil.copytree(ROOT / "tests" / "on_micropython", folder / "tests" / "on_micropython")
    return folder


def run_script(name: str, *arguments: str, heap: str = "16m", root: Path = ROOT) -> list[dict[str, Any]]:
    """The JSON objects that it prints, one a line; raises RuntimeError with what it printed when it fails.

    `root` is the folder that the firmware is taken from, in `src/dispctl/firmware` (or `.mpy` files there).
    """
    command = [str(MICROPYTHON), "-X", f"heapsize={heap}", str(BOARD / f"{name}.py"), str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}: {done.stdout[-3000:]} {done.stderr[-1000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
