"""What boot costs as source and as .mpy, and when the outputs are closed: `python -m tests.firmware.measure.boot`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from dispctl.operations.firmware_package import Package, bytecode_package, source_package
from dispctl.virtual.bus import Operation, Request
from tests.firmware.kitchen import Kitchen, kitchen
from tests.firmware.measure.figures import quantile
from tests.firmware.measure.interpreter import ROOT, compiled, run_script

TIMES = 15
BOARD_TIMES = 7
RELAY_PINS = {26, 27, 32, 33}
MARK_PIN = 2
PRELUDE = f"import machine; machine.Pin({MARK_PIN}, machine.Pin.OUT, value=1)"
HEAPS_KB = range(170, 290, 10)


def import_times(root: Path) -> dict[str, float]:
    """The median of some runs."""
    rows = [run_script("boot", root=root, heap="2m")[0] for _ in range(TIMES)]
    return {key: quantile([row[key] for row in rows], 0.5) for key in rows[0]}


def smallest_heap_kb(root: Path) -> int:
    """From which size on, of those tried, every larger heap does the job of 4,096 bytes; stand-ins not counted."""
    good = 0
    for heap_kb in reversed(HEAPS_KB):
        try:
            (told,) = run_script("memory", "largest", heap=f"{heap_kb}k", root=root)
        except RuntimeError:
            break
        good = (told["heap"] - told["stand_ins"]) // 1024
    return good


async def closed_after_ms(package: Package) -> tuple[float, float]:
    """On a virtual board: from main.py's first line to every relay pin driven low, and to the line that says so."""
    moments: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with kitchen(folder, prelude=PRELUDE, package=package) as at:
            _watch_pins(at, moments)
            before = len(at.lines)
            at.board.reset()
            started = await at.line("[SETUP]", before)
    began = moments[MARK_PIN]
    return max(moments[pin] for pin in RELAY_PINS) - began, started.at_ms - began


def _watch_pins(at: Kitchen, moments: dict[int, float]) -> None:
    """Note when each pin is driven for the first time."""
    handle = at.board.hardware.handle

    def watched(request: Request) -> bytes | None:
        if request.operation == Operation.PIN_OUT:
            moments.setdefault(request.payload[0], at.now_ms)
        return handle(request)

    at.board.hardware.handle = watched  # type: ignore[method-assign]


def main() -> None:
    """Print all of it."""
    with tempfile.TemporaryDirectory() as name:
        for title, root in (("source", ROOT), (".mpy", compiled(Path(name)))):
            row = import_times(root)
            print(
                f"{title}: imports before the outputs are closed {row['first_ms']:.1f} ms, the rest {row['rest_ms']:.1f} ms"
            )
            print(
                f"  in use after all of them {(row['first_bytes'] + row['rest_bytes']) / 1024:.0f} KB (64 bits)"
            )
            print(f"  does a job of 4,096 bytes with {smallest_heap_kb(root)} KB of 64-bit heap")
    for package in (source_package(), bytecode_package()):
        runs = [asyncio.run(closed_after_ms(package)) for _ in range(BOARD_TIMES)]
        closed_ms, said_ms = (quantile(list(times), 0.5) for times in zip(*runs, strict=True))
        print(
            f"virtual board, {package.form}: outputs closed {closed_ms:.1f} ms after main.py began (median of"
        )
        print(f"  {BOARD_TIMES}, most {max(runs)[0]:.1f} ms), first line after {said_ms:.0f} ms")


if __name__ == "__main__":
    main()
