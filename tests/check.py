"""Every check and every test, in one command: `python tests/check.py`.

Runs ruff (lint and format), mypy, import-linter and pytest, all of them even when one fails, and exits with 1 if any
did. It uses the tools of the interpreter it is run with.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKS = {
    "lint": [str(BIN / "ruff"), "check", "."],
    "format": [str(BIN / "ruff"), "format", "--check", "."],
    "types": [sys.executable, "-m", "mypy"],
    "imports": [str(BIN / "lint-imports")],
    "tests": [sys.executable, "-m", "pytest", "-n", "4", "-q"],
}


def run(name: str, command: list[str]) -> bool:
    """Run one check in the project's root; returns whether it passed."""
    began = time.monotonic()
    print(
        f"== {name}: {' '.join(Path(command[0]).name if i == 0 else c for i, c in enumerate(command))}",
        flush=True,
    )
    passed = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    print(f"== {name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
    return passed


if __name__ == "__main__":
    wanted = sys.argv[1:] or list(CHECKS)
    failed = [name for name in wanted if not run(name, CHECKS[name])]
    print(f"== failed: {', '.join(failed)}" if failed else "== all checks passed")
    sys.exit(bool(failed))
