"""Waiting at the backend for a job: only where it is offered, never instead of anything else, and not at any price."""

import json

from .backend import CUT_AFTER_MS
from .world import World, make_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

POLL, WAIT = "GET /devices/me/next_job", "GET /devices/me/next_job?wait="


def waiting_world(offer: str = "25", **settings: "Any") -> World:
    """A board that has asked once, of a backend with this offer."""
    world = World(**settings)
    world.backend.poll_wait = offer
    world.run(lambda: world.backend.heartbeats > 0 and POLL in world.backend.requests)
    return world


def polls(world: World) -> "list[str]":
    """The polls that were answered so far."""
    return [request for request in world.backend.requests if request.startswith(POLL)]


def type_later(world: World, after_ms: int, request: "dict[str, Any]") -> int:
    """Put a control line on the cable; returns the moment in ms."""
    line = b"@dispctl " + json.dumps(request).encode() + b"\n"
    world.clock.after(after_ms, lambda: world.serial.type_in(line))
    return world.clock.now_ms + after_ms


def test_a_backend_that_offers_nothing_is_never_asked_to_wait() -> None:
    world = World()
    world.run_for(60_000)
    assert set(polls(world)) == {POLL}
    assert len(polls(world)) > 40, len(polls(world))


def test_the_first_poll_waits_for_nothing() -> None:
    world = waiting_world()
    world.run_for(100_000)
    assert polls(world)[0] == POLL
    assert all(poll.startswith(WAIT) for poll in polls(world)[1:]), polls(world)
    assert 3 < len(polls(world)) < 12, polls(world)


def test_a_job_is_there_the_moment_it_is_ordered() -> None:
    world = waiting_world()
    world.run_for(5_000)
    ordered_ms = world.clock.now_ms + 7_000
    world.clock.at(ordered_ms, lambda: world.backend.queue.append(make_job(seconds=(1.0,))))
    world.run(lambda: bool(world.outputs.openings))
    assert world.outputs.openings[0][1] - ordered_ms < 1_000, world.outputs.openings
    assert world.outputs.poured_ms == [1000, 0, 0, 0]


def test_signs_of_life_come_in_time() -> None:
    world = waiting_world()
    before, began_ms = world.backend.heartbeats, world.clock.now_ms
    world.run_for(300_000)
    due = (world.clock.now_ms - began_ms) // 30_000
    given = world.backend.heartbeats - before
    assert due <= given <= due * 4 // 3 + 2, (due, given)
    assert world.backend.connections == 1, "waits and heartbeats share one connection"


def test_a_short_heartbeat_leaves_no_room_for_waiting() -> None:
    world = waiting_world(heartbeat_sec=1)
    world.run_for(30_000)
    assert set(polls(world)) == {POLL}
    assert world.backend.heartbeats > 15, world.backend.heartbeats


def test_offers_that_cannot_be_meant_are_none() -> None:
    for offer in ("-5", "soon", "1e3", "0", "99999999999999999999", " ", "2 5", "0x19"):
        world = waiting_world(offer)
        world.run_for(20_000)
        assert set(polls(world)) == {POLL}, (offer, polls(world))


def test_an_offer_of_days_is_taken_for_half_a_minute() -> None:
    world = waiting_world("86400")
    world.run_for(100_000)
    asked_s = [int(poll[len(WAIT) :]) for poll in polls(world)[1:]]
    assert 10 < max(asked_s) <= 30, asked_s


def test_a_wait_that_is_cut_is_followed_by_polls_without() -> None:
    world = waiting_world()
    world.backend.faults = ["cut"]
    world.run_for(CUT_AFTER_MS + 20_000)
    assert polls(world)[-10:] == [POLL] * 10, polls(world)
    assert not [line for line in world.lines if line.startswith("[POLL] ✗")], world.lines
    world.run_for(120_000)
    assert polls(world)[-1].startswith(WAIT), "waiting is never tried again"


def test_a_backend_that_refuses_to_wait_is_polled_without() -> None:
    world = waiting_world()
    world.backend.faults = ["422"]
    world.run_job(make_job(seconds=(0.5,)), 10_000)
    assert world.outputs.poured_ms == [500, 0, 0, 0]


def test_a_backend_that_never_answers_a_wait_is_given_up() -> None:
    world = waiting_world()
    world.backend.faults = ["hang"]
    world.run_job(make_job(seconds=(0.5,)), 60_000)
    assert world.outputs.poured_ms == [500, 0, 0, 0]
    assert world.watchdog.starved_ms == 0


def test_the_cable_is_answered_while_a_poll_waits() -> None:
    world = waiting_world()
    world.run_for(2_000)
    took_ms: list[int] = []
    asked_ms = world.clock.now_ms + 1_000

    def look() -> None:
        if world.serial.answers():
            took_ms.append(world.clock.now_ms - asked_ms)
        else:
            world.clock.after(5, look)

    type_later(world, 1_000, {"id": 1, "op": "status"})
    world.clock.after(1_001, look)
    world.run(lambda: bool(took_ms), 60_000)
    assert took_ms[0] <= 100, took_ms


def test_a_job_from_the_cable_ends_the_wait() -> None:
    from binascii import b2a_base64

    world = waiting_world()
    world.run_for(2_000)
    payload = json.dumps(make_job(2_147_483_648, seconds=(0.5,))).encode()
    request = {"id": 1, "op": "put_job", "job": b2a_base64(payload).decode().strip()}
    put_ms = type_later(world, 1_000, request)
    world.run(lambda: bool(world.outputs.openings), 60_000)
    assert world.outputs.openings[0][1] - put_ms < 2_000, world.outputs.openings


def test_a_new_claim_ends_the_wait() -> None:
    world = waiting_world()
    world.run_for(2_000)
    changes = {"backend_url": "http://other.test", "claim_code": "123456"}
    changed_ms = type_later(world, 1_000, {"id": 1, "op": "set_settings", "settings": changes})
    world.run(lambda: world.backend.claims > 0, 60_000)
    assert world.clock.now_ms - changed_ms < 2_000


def test_a_network_that_goes_ends_the_wait() -> None:
    world = waiting_world()
    world.run_for(2_000)
    world.radio.up = False
    gone_ms = world.clock.now_ms
    world.run(lambda: world.dispenser.state == "wifi_connect", 60_000)
    assert world.clock.now_ms - gone_ms < 1_000
    world.radio.up = True
    world.run_job(make_job(seconds=(0.5,)), 60_000)
    assert world.outputs.poured_ms == [500, 0, 0, 0]


def test_a_job_whose_answer_was_lost_in_a_wait_is_poured_once() -> None:
    world = waiting_world()
    world.backend.faults = ["lost", "half"]
    world.run_job(make_job(seconds=(0.5,)), 120_000)
    assert world.outputs.poured_ms == [500, 0, 0, 0]
    assert world.backend.report_count == 1
