"""Runs the suites on MicroPython, which has no pytest: `micropython run.py ROOT SUITE…`; exits with 1 if any test fails.

ROOT is the repository; the firmware is found in ROOT/src/dispctl under the name it has on the board.
"""

import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[1] + "/src/dispctl")


def run_suite(name: str) -> int:
    """Run every `test_` function of a suite; returns how many failed."""
    suite = __import__("tests.on_micropython.board." + name, None, None, ("*",))
    failures = 0
    for test in sorted(dir(suite)):
        if test.startswith("test_"):
            try:
                getattr(suite, test)()
            except Exception as error:  # noqa: BLE001 - a failing test must not stop the others
                failures += 1
                print("FAILED", name, test)
                sys.print_exception(error)  # type: ignore[attr-defined]
    return failures


if __name__ == "__main__":
    failed = sum([run_suite(name) for name in sys.argv[2:]])
    print("failed:", failed)
    sys.exit(1 if failed else 0)
