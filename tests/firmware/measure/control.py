"""How long control lines take while 200 KB of log pass and while garbage arrives: `python -m tests.firmware.measure.control`.

On a virtual board with a cable at 115200 baud, from a request's last byte to its answer's last. `measure.dose` has the
same while jars are open.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.firmware.kitchen import Kitchen, kitchen
from tests.firmware.measure.figures import HostLateness, summary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Background = Callable[[Kitchen, asyncio.Event], Awaitable[None]]

GOAL_P99_MS = 100.0
LATE_MS, NEAR_S = 5.0, 0.1
ASK_EVERY_S = 0.3
NOISY = """
from firmware import idle
import time
run = idle.Idle._run_tasks
logged = [time.ticks_ms()]
def noisy(self):
    now = time.ticks_ms()
    if time.ticks_diff(now, logged[0]) > 30:
        logged[0] = now
        self._console.log('TESTE', 'x' * 230)
    run(self)
idle.Idle._run_tasks = noisy
"""


async def log_passes(at: Kitchen, done: asyncio.Event, count: int) -> None:
    """Until so many bytes of log have come."""
    await at.wait_for(lambda: sum(len(line.text) for line in at.lines) >= count, "log", 600)
    done.set()


async def garbage_arrives(at: Kitchen, done: asyncio.Event, count: int) -> None:
    """So many bytes (without 0x03), 40 every 10 ms: a third of what the line can carry."""
    source = random.Random(1)
    for _ in range(count // 40):
        at.type(source.randbytes(40).replace(b"\x03", b"\x04"))
        await asyncio.sleep(0.01)
    done.set()


async def answer_times(prelude: str, background: Background, host: HostLateness) -> list[float]:
    """In ms, of `status` three times a second while `background` lasts; without those when this machine was late."""
    times_ms: list[float] = []
    done = asyncio.Event()
    with tempfile.TemporaryDirectory() as name:
        async with kitchen(Path(name), prelude=prelude) as at:
            task = asyncio.ensure_future(background(at, done))
            while not done.is_set():
                at.type(b"\n")
                answer, took_ms = await at.ask("status")
                assert answer["ok"], answer
                now_s = time.monotonic()
                if not host.was_late(now_s - took_ms / 1000 - NEAR_S, now_s, LATE_MS):
                    times_ms.append(took_ms)
                await asyncio.sleep(ASK_EVERY_S)
            await task
    return times_ms


async def measure(log_bytes: int, garbage_bytes: int) -> dict[str, list[float]]:
    """Both, one after the other."""
    with HostLateness() as host:
        return {
            "log": await answer_times(NOISY, lambda at, done: log_passes(at, done, log_bytes), host),
            "garbage": await answer_times(
                "", lambda at, done: garbage_arrives(at, done, garbage_bytes), host
            ),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--log-bytes", type=int, default=200_000)
    parser.add_argument("--garbage-bytes", type=int, default=100_000)
    options = parser.parse_args()
    times = asyncio.run(measure(options.log_bytes, options.garbage_bytes))
    print(f"while {options.log_bytes} bytes of log pass: {summary(times['log'])}")
    print(f"while {options.garbage_bytes} bytes of garbage arrive: {summary(times['garbage'])}")


if __name__ == "__main__":
    main()
