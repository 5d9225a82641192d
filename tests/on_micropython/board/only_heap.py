"""The heap does not grow with the number of jobs. Only MicroPython's `gc` can tell."""

import gc

from .world import World, make_job

JOBS = 300
SLACK_BYTES = 512


def forget_the_past(world: World) -> None:
    """The stand-ins keep what happened; the firmware must not."""
    world.serial.lines.clear()
    world.serial.writes.clear()
    world.outputs.openings.clear()
    world.outputs.vibrations.clear()
    world.system.interrupts.clear()
    world.backend.requests.clear()
    world.backend.reports.clear()


def heap_after(world: World, first: int, last: int) -> int:
    """Bytes in use once the jobs have been done and the garbage is gone."""
    for job_id in range(first, last):
        world.run_job(make_job(job_id, seconds=(0.2, 0.2)))
        forget_the_past(world)
    gc.collect()
    used: int = gc.mem_alloc()  # type: ignore[attr-defined]
    return used


def test_jobs_leave_nothing_behind() -> None:
    world = World()
    settled = heap_after(world, 1, 40)
    after = heap_after(world, 40, JOBS)
    assert after - settled <= SLACK_BYTES, (settled, after)
