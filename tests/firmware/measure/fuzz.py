"""What nobody meant, on the real MicroPython in virtual time: `python -m tests.firmware.measure.fuzz`.

1 MB of random bytes on the cable, 100,000 mutated control lines, 100,000 mutated HTTP answers; after each the firmware
has to answer and to do a job.
"""

from __future__ import annotations

import argparse

from tests.firmware.measure.interpreter import run_script


def run(byte_count: int, lines: int, answers: int, seed: int = 1) -> None:
    """Raises RuntimeError with what the interpreter printed when the firmware does not survive."""
    run_script("fuzz", *map(str, (byte_count, lines, answers, seed)), heap="8m")


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bytes", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    run(options.bytes, options.lines, options.answers, options.seed)
    print(f"running after {options.bytes} bytes, {options.lines} lines, {options.answers} answers")


if __name__ == "__main__":
    main()
