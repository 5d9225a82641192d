"""Phase 2's four manual tests in virtual time, for their logs: `micropython phase_2_logs.py ROOT NAME` prints one."""

import sys

if sys.implementation.name == "micropython":
    sys.path.insert(0, sys.argv[1])
    sys.path.insert(0, sys.argv[1] + "/src/dispctl")

from tests.on_micropython.board.world import World, make_job


def run_normally() -> World:
    """Test 1: four jars, the Wi-Fi stays."""
    world = World()
    world.run_job(make_job(seconds=(5.0, 0.2, 2.5, 1.0)))
    return world


def lose_wifi() -> World:
    """Test 2: the Wi-Fi goes after two jars and comes back."""
    world = World()
    world.backend.queue.append(make_job())
    world.while_pouring(2, 500, lambda: setattr(world.radio, "up", False))
    world.clock.after(20_000, lambda: setattr(world.radio, "up", True))
    world.run(lambda: 7 in world.backend.reports and world.idle)
    return world


def reset_in_item_3() -> World:
    """Test 3: the reset button while the third jar is open."""
    world = World()
    world.backend.queue.append(make_job(seconds=(1.0, 1.0, 5.0, 1.0)))
    world.while_pouring(3, 2500, world.mains.reset)
    world.run(lambda: 7 in world.backend.reports and world.idle)
    return world


def fail_to_report() -> World:
    """Test 4: the report does not get through at first."""
    world = World()
    world.backend.report_faults = ["drop", "500", "refuse"]
    world.run_job(make_job(seconds=(0.5, 0.5)))
    return world


def pour_bad_items() -> World:
    """An invalid jar and a time over the limit fail, an abort ends the rest."""
    job = make_job(seconds=(0.5, 200.0, 9.0, 1.0))
    job["itens"][0]["frasco"] = 9
    world = World()
    world.backend.queue.append(job)
    world.while_pouring(3, 1000, lambda: world.serial.type_in(b'@dispctl {"id": 1, "op": "abort_job"}\n'))
    world.run(lambda: 7 in world.backend.reports and world.idle)
    return world


SCENARIOS = {
    "normal": run_normally,
    "wifi_lost": lose_wifi,
    "reset": reset_in_item_3,
    "report_retried": fail_to_report,
    "bad_items": pour_bad_items,
}


def log_of(name: str) -> "list[str]":
    """The log's lines; answers to control lines are none of it."""
    return [line for line in SCENARIOS[name]().lines if not line.startswith("[CTL] ")]


if __name__ == "__main__":
    for each in log_of(sys.argv[2]):
        print(each)
