"""The real littlefs under the firmware: what a job costs in erases. The cuts are in `histories`."""

import json

from .littlefs import Chip, LittlefsStorage
from .world import World, make_job

MAX_ERASES_PER_ITEM = 1.2
MAX_ERASES_PER_SECOND = 0.05


def make_world() -> World:
    """A board whose storage is a littlefs on a chip, with what a flashed board has on it."""
    world = World()
    chip = Chip(world.mains)
    storage = LittlefsStorage(chip, world.clock)
    storage.write("main.py", b"from firmware import main; main.main()\n")
    storage.write("settings.json", world.storage.files["settings.json"] + b" " * 500)
    world.storage = storage  # type: ignore[assignment]
    world.remount = storage.mount
    return world


def job_of(count: int, seconds: float, job_id: int) -> "dict[str, object]":
    """A job of `count` items with fields as the backend sends them."""
    return make_job(job_id, seconds=(seconds,) * count)


def wear(count: int, seconds: float, jobs: int) -> "tuple[float, float]":
    """Erases beyond the allowance of 0.05 a second of pouring, an item; and bytes programmed an item."""
    world = make_world()
    world.run_job(job_of(count, 0.2, 1))
    chip = world.storage.chip  # type: ignore[attr-defined]
    erases, programmed = chip.erases, chip.programmed_bytes
    for number in range(jobs):
        world.run_job(job_of(count, seconds, 2 + number))
    items = jobs * count
    allowance = MAX_ERASES_PER_SECOND * seconds * items
    return (chip.erases - erases - allowance) / items, (chip.programmed_bytes - programmed) / items


def test_wear_stays_within_the_budget() -> None:
    for count, seconds, jobs in (
        (1, 0.2, 60),
        (1, 5.0, 40),
        (4, 5.0, 30),
        (20, 2.0, 8),
        (24, 0.3, 10),
        (1, 170.0, 4),
    ):
        erases, programmed = wear(count, seconds, jobs)
        print(
            json.dumps(
                {"items": count, "seconds": seconds, "erases_per_item": erases, "bytes_per_item": programmed}
            )
        )
        assert erases <= MAX_ERASES_PER_ITEM, (count, seconds, erases)


def test_wear_of_a_second_of_pouring() -> None:
    world = make_world()
    world.run_job(job_of(1, 0.2, 1))
    chip = world.storage.chip  # type: ignore[attr-defined]
    erases = chip.erases
    world.run_job(job_of(4, 175.0, 2))
    per_second = (chip.erases - erases - 4) / 700
    print(json.dumps({"erases_per_second": per_second}))
    assert per_second <= MAX_ERASES_PER_SECOND


def test_no_file_is_left_over_after_cuts() -> None:
    world = make_world()
    for job_id in range(1, 6):
        world.clock.after(2500, world.mains.cut)
        world.run_job(job_of(4, 1.0, job_id))
    allowed = {"main.py", "settings.json", "job_state.progress", "job_state.finished"}
    assert set(world.storage.names()) <= allowed, world.storage.names()
