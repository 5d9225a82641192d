"""The power cut, or the chip reset, at every flash operation and at every 50 ms of pouring: nothing lost, nothing twice."""

from .world import World, make_job

CHECKPOINT_MS = 1_000
RETAINED_MS = 100
SLACK_MS = 60  # the flash's own time, and a slice of waiting
SECONDS = (0.4, 1.3, 2.5, 0.2)
ASKED_MS = [int(each * 1000) for each in SECONDS]


def finish_and_check(world: World, again_ms: int) -> None:
    """Run to the end; then one report, every item once, and no jar poured more than `again_ms` too much."""
    world.run(lambda: 7 in world.backend.reports and world.idle)
    report = world.backend.reports[7]
    assert report["itens_completados"] == 4, report
    assert [entry["item_ordem"] for entry in report["execution_logs"]] == [1, 2, 3, 4]
    poured_ms = world.outputs.poured_ms
    assert all(poured_ms[jar] >= ASKED_MS[jar] for jar in range(4)), poured_ms
    assert sum(poured_ms) <= sum(ASKED_MS) + again_ms, poured_ms
    assert not world.outputs.any_open


def begin() -> World:
    """A board that is about to be given the job."""
    world = World()
    world.backend.queue.append(make_job(seconds=SECONDS))
    return world


def test_cut_at_every_flash_operation() -> None:
    operation = 0
    for torn in (False, True):
        operation = 0
        while True:
            operation += 1
            world = begin()
            world.storage.cut_at = operation
            world.storage.torn = torn
            finish_and_check(world, CHECKPOINT_MS + SLACK_MS)
            if not world.cuts:
                break
    assert operation > 15, "the job takes more operations than that"


def test_cut_at_every_50_ms() -> None:
    world = begin()
    finish_and_check(world, 0)
    for moment_ms in range(1, world.clock.now_ms, 50):
        world = begin()
        world.clock.at(moment_ms, world.mains.cut)
        finish_and_check(world, CHECKPOINT_MS + SLACK_MS)
        assert world.cuts == 1


def test_reset_at_every_50_ms() -> None:
    world = begin()
    finish_and_check(world, 0)
    for moment_ms in range(1, world.clock.now_ms, 50):
        world = begin()
        world.clock.at(moment_ms, world.mains.reset)
        finish_and_check(world, RETAINED_MS + SLACK_MS)
        assert world.resets == 1


def test_cut_again_and_again() -> None:
    """A cut every 1.7 s from power-on: each may repeat one interval, and the job still ends."""
    world = begin()
    for number in range(1, 12):
        world.clock.at(number * 1700, world.mains.cut)
    finish_and_check(world, 12 * (CHECKPOINT_MS + SLACK_MS))


def test_the_cut_during_the_clearing_does_not_report_a_new_job() -> None:
    world = begin()
    world.run(lambda: 7 in world.backend.reports and world.idle)
    operations = world.storage.operations
    for operation in range(operations - 4, operations + 1):
        world = begin()
        world.storage.cut_at = operation
        finish_and_check(world, CHECKPOINT_MS + SLACK_MS)
        world.run_job(make_job(8, seconds=(0.5,)))
        assert len(world.backend.reports) == 2
