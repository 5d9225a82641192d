"""The power cut, or the chip reset, at every flash operation and at every 50 ms of pouring: nothing lost, nothing twice."""

from .world import World, make_job

CHECKPOINT_MS = 1_000
RETAINED_MS = 100
SLACK_MS = 60  # the flash's own time, and a slice of waiting
ATTEMPTS = 8  # interruptions in a row without getting on, after which an item is given up
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
    """A cut every 2.2 s from power-on: each may repeat one interval, and the job still ends, done."""
    world = begin()
    for number in range(1, 12):
        world.clock.at(number * 2200, world.mains.cut)
    finish_and_check(world, 12 * (CHECKPOINT_MS + SLACK_MS))


def end_of_a_loop(kind: str, after_ms: int) -> World:
    """A board that is cut or reset each time that jar 1 has been open for `after_ms`."""
    world = World(resume_offline=True)
    world.backend.queue.append(make_job(seconds=(2.0, 0.5)))

    def look() -> None:
        if world.outputs.is_open(1):
            world.clock.after(after_ms, interrupt)
        else:
            world.clock.after(1, look)

    def interrupt() -> None:
        world.clock.after(1, look)
        if world.outputs.is_open(1):
            getattr(world.mains, kind)()

    world.clock.after(1, look)
    world.run(lambda: 7 in world.backend.reports and world.idle)
    return world


def test_what_is_interrupted_each_time_it_opens_is_given_up() -> None:
    """Resets before RTC memory is written again, cuts before flash is: eight times, then the rest of the job goes on."""
    for kind, after_ms in (("reset", 5), ("reset", 90), ("cut", 90), ("cut", 500)):
        world = end_of_a_loop(kind, after_ms)
        assert world.cuts + world.resets == ATTEMPTS, (kind, world.lines)
        assert world.outputs.poured_ms[0] <= ATTEMPTS * (after_ms + 1)
        report = world.backend.reports[7]
        assert (report["itens_completados"], report["itens_falhados"]) == (1, 1)
        assert "interrompido" in report["execution_logs"][0]["error"]
        assert any(f"interrompido {ATTEMPTS} vezes seguidas" in line for line in world.lines)


def test_what_gets_on_is_not_given_up() -> None:
    """Each time a tenth of a second more is known: at most twice what was asked for comes out."""
    world = end_of_a_loop("reset", 190)
    assert world.resets > 5
    assert world.backend.reports[7]["itens_completados"] == 2
    assert world.outputs.poured_ms[0] <= 2 * 2000


def hang(world: World, resets: int = 1) -> None:
    """Stand still until the watchdog resets the board, then be reset so often by someone else."""
    world.clock.advance(3000)
    world.system.reset_cause = "watchdog"
    for number in range(1, resets):
        world.clock.after(400 * number, lambda: reset_by_hand(world))
    world.mains.reset()


def reset_by_hand(world: World) -> None:
    """The cause that is found next is not the watchdog's."""
    world.system.reset_cause = "hard"
    world.mains.reset()


def test_the_time_of_a_hang_is_counted_once() -> None:
    for after_ms, asked_s in ((0, 5.0), (40, 5.0), (500, 5.0), (2500, 5.0), (500, 20.0)):
        for resets in (1, 2):
            world = World()
            world.backend.queue.append(make_job(seconds=(1.0, asked_s)))
            world.while_pouring(2, after_ms, lambda world=world, resets=resets: hang(world, resets))  # type: ignore[misc]
            world.run(lambda world=world: 7 in world.backend.reports and world.idle)  # type: ignore[misc]
            most_ms = max(asked_s * 1000, after_ms + 3000)
            assert asked_s * 1000 <= world.outputs.poured_ms[1] <= most_ms + RETAINED_MS + SLACK_MS
            told_ms = world.backend.reports[7]["execution_logs"][1]["real_s"] * 1000
            assert abs(told_ms - world.outputs.poured_ms[1]) <= RETAINED_MS + SLACK_MS, (
                world.outputs.poured_ms
            )


def test_a_closed_jars_hang_pours_nothing() -> None:
    world = World()
    world.backend.queue.append(make_job(seconds=(1.0, 1.0)))
    world.run(lambda: any("Item 1 concluído" in line for line in world.lines) and not world.outputs.any_open)
    world.system.reset_cause = "watchdog"
    world.clock.after(1, world.mains.reset)
    world.run(lambda: 7 in world.backend.reports and world.idle)
    assert world.outputs.poured_ms[:2] == [1000, 1000]


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
