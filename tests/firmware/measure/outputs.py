"""How long a jar stays open after what should close it, from the ground truth: `python -m tests.firmware.measure.outputs`.

The jar is being poured for ten seconds when it happens. A line of the board marks the moment where the firmware itself
fails; it is seen some ms late. Servos keep their pulses when the chip restarts, so they wait for its boot.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.firmware.kitchen import CTRL_C, Kitchen, job, kitchen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Happening = Callable[[Kitchen], Awaitable[float]]

WATCHDOG_MS = 3_000
BOOT_MS = 2_000
PROMPT_MS = 250
SECONDS = 10.0
MARK = "[TEST] now"
FAULT = """
from firmware import pour
keep = pour.Pour._keep_progress
def fail(self, left_ms):
    keep(self, left_ms)
    if self._elapsed_ms() > 600 and not self._parts.retained.read().endswith(b'failed'):
        self._parts.retained.write(b'failed')
        print('{mark}')
        {what}
pour.Pour._keep_progress = fail
"""


@dataclass(frozen=True)
class Case:
    """`happen` makes it happen while jar 1 is open and gives the moment in ms; `limit_ms` is how long after is right."""

    name: str
    happen: Happening
    limit_ms: float
    fault: str = ""
    servo: bool = False


async def marked(at: Kitchen) -> float:
    """The firmware fails by itself."""
    return (await at.line(MARK)).at_ms


async def aborted(at: Kitchen) -> float:
    await at.pouring()
    asked_ms = at.now_ms
    await at.ask("abort_job")
    return asked_ms


async def power_cycled(at: Kitchen) -> float:
    await at.pouring()
    cut_ms = at.now_ms
    at.board.power_off()
    at.board.power_on()
    return cut_ms


async def reset(at: Kitchen) -> float:
    await at.pouring()
    reset_ms = at.now_ms
    at.board.reset()
    return reset_ms


async def ctrl_c_typed_twice(at: Kitchen) -> float:
    await at.pouring()
    at.type(CTRL_C)
    await at.line("[EXEC] ⚠ Ctrl-C recusado")
    at.type(CTRL_C)
    return at.ctrl_c_ms[-1]


async def ctrl_c_from_mpremote(at: Kitchen) -> float:
    """The released mpremote, started again as soon as its Ctrl-C was refused, until two came within two seconds."""
    await at.pouring()
    async with at.cable() as url:
        while at.any_open:
            await _mpremote(at, url)
    return at.ctrl_c_ms[-1]


async def _mpremote(at: Kitchen, url: str) -> None:
    """One run, until its Ctrl-C has come to the board and done what it does."""
    seen = len(at.ctrl_c_ms)
    tool = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mpremote", "connect", url, "exec", "print(1)"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await at.wait_for(lambda: len(at.ctrl_c_ms) > seen, "Ctrl-C from mpremote")
    pressed_ms = at.now_ms
    await at.wait_for(lambda: not at.any_open or at.now_ms > pressed_ms + PROMPT_MS, "an effect")
    tool.kill()
    await tool.wait()


async def left_open_by_hand(at: Kitchen) -> float:
    """Opened at the REPL after the firmware was stopped; then a soft reset, which leaves pins as they are."""
    at.type(b"\r\x03")
    await at.wait_for(lambda: "KeyboardInterrupt" in " ".join(line.text for line in at.lines), "the REPL")
    at.type(b"import machine; machine.Pin(26, machine.Pin.OUT, value=1)\r")
    await at.pouring()
    at.type(b"\x04")
    return (await at.line("MPY: soft reboot")).at_ms


HANG = "while True: pass"
SLEEPING = "while True: self._parts.clock.sleep_ms(10)"
MPREMOTE = "Ctrl-C from mpremote, twice"
CASES = (
    Case("hang in a computing loop (watchdog)", marked, WATCHDOG_MS, HANG),
    Case("hang in a sleeping loop (watchdog)", marked, WATCHDOG_MS, SLEEPING),
    Case("hang, servo (watchdog and boot)", marked, WATCHDOG_MS + BOOT_MS, HANG, servo=True),
    Case("exception: ValueError", marked, PROMPT_MS, "raise ValueError('x')"),
    Case("exception: MemoryError", marked, PROMPT_MS, "raise MemoryError"),
    Case("exception: OSError", marked, PROMPT_MS, "raise OSError(5)"),
    Case("soft reset from within", marked, PROMPT_MS, "raise SystemExit"),
    Case("soft reset, jar opened by hand", left_open_by_hand, BOOT_MS),
    Case("machine.reset()", marked, PROMPT_MS, "import machine; machine.reset()"),
    Case("machine.reset(), servo", marked, BOOT_MS, "import machine; machine.reset()", servo=True),
    Case("reset button", reset, PROMPT_MS),
    Case("reset button, servo", reset, BOOT_MS, servo=True),
    Case("power cycle", power_cycled, PROMPT_MS),
    Case("power cycle, servo", power_cycled, PROMPT_MS, servo=True),
    Case("Ctrl-C typed twice", ctrl_c_typed_twice, PROMPT_MS),
    Case(MPREMOTE, ctrl_c_from_mpremote, PROMPT_MS),
    Case("control line abort_job", aborted, PROMPT_MS),
    Case("control line abort_job, servo", aborted, PROMPT_MS, servo=True),
)


async def open_after_ms(case: Case, folder: Path) -> float:
    """Make it happen on a board of its own; how long jar 1 stayed open after. Fails if anything is open at the end."""
    settings: dict[str, Any] = {"actuator": {"kind": "servo"}} if case.servo else {}
    prelude = FAULT.format(mark=MARK, what=case.fault) if case.fault else ""
    async with kitchen(folder, prelude=prelude, **settings) as at:
        if case.happen is not left_open_by_hand:
            at.backend.queue.append(job(1, [SECONDS]))
        moment_ms = await case.happen(at)
        await at.wait_for(lambda: _closed_ms(at) is not None, f"closing after {case.name}", 30)
        return max((_closed_ms(at) or 0) - moment_ms, 0)


def _closed_ms(at: Kitchen) -> float | None:
    """When the first opening of jar 1 ended."""
    closed: float | None = at.openings(1)[0]["closed_ms"]
    return closed


async def measure(cases: tuple[Case, ...], at_once: int = 4) -> dict[str, float]:
    """Each case's time in ms, a few boards at a time."""
    limit = asyncio.Semaphore(at_once)
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(tempfile.mkdtemp(dir=name)) for _ in cases]

        async def one(number: int, case: Case) -> float:
            async with limit:
                return await open_after_ms(case, folders[number])

        times = await asyncio.gather(*(one(number, case) for number, case in enumerate(cases)))
    return {case.name: time_ms for case, time_ms in zip(cases, times, strict=True)}


def main() -> int:
    """Print the table; 1 if a jar stayed open for longer than is right."""
    times = asyncio.run(measure(CASES))
    print("| what happens | open after it, ms | at most |\n|---|---|---|")
    for case in CASES:
        print(f"| {case.name} | {times[case.name]:.0f} | {case.limit_ms:.0f} |")
    return int(any(times[case.name] > case.limit_ms for case in CASES))


if __name__ == "__main__":
    sys.exit(main())
