"""Boards, as the operator claims, sees and forgets them."""

from datetime import datetime, timedelta

from tests.backend.actors import Board, Clock, Cook, accepted
from tests.backend.conftest import ON_BOTH, CookMaker

pytestmark = ON_BOTH


def online(cook: Cook) -> bool:
    answer = accepted(cook.client.get("/devices"))
    assert answer["online_any"] is any(device["online"] for device in answer["devices"])
    return bool(answer["online_any"])


def test_a_code_is_six_digits_for_ten_minutes(cook: Cook, clock: Clock) -> None:
    claim = accepted(cook.client.post("/devices/claims"))

    assert claim["code"].isdigit()
    assert len(claim["code"]) == 6
    assert datetime.fromisoformat(claim["expires_at"].replace("Z", "+00:00")) == clock.now + timedelta(
        minutes=10
    )


def test_nobody_has_boards_at_first(cook: Cook) -> None:
    assert accepted(cook.client.get("/devices")) == {"devices": [], "online_any": False}


def test_a_board_is_online_for_ninety_seconds_after_it_was_heard_of(
    cook: Cook, board: Board, clock: Clock
) -> None:
    assert online(cook)
    clock.advance(seconds=90)
    assert online(cook)
    clock.advance(seconds=1)
    assert not online(cook)

    accepted(board.heartbeat(fw_version="0.2.0", status={"rssi": -61, "free_heap": 90_000}))

    assert online(cook)
    (device,) = accepted(cook.client.get("/devices"))["devices"]
    assert set(device) == {"id", "uid", "fw_version", "last_seen", "online"}
    assert (device["uid"], device["fw_version"]) == ("esp-a0b1c2", "0.2.0")


def test_a_board_that_only_asks_for_jobs_is_online_too(cook: Cook, board: Board, clock: Clock) -> None:
    for _ in range(20):
        clock.advance(seconds=20)
        board.next_job()
        assert online(cook)


def test_another_operators_boards_are_not_there(board: Board, cook: Cook, new_cook: CookMaker) -> None:
    bia = new_cook("Bia")
    (device,) = accepted(cook.client.get("/devices"))["devices"]

    assert accepted(bia.client.get("/devices"))["devices"] == []
    assert bia.client.delete(f"/devices/{device['id']}").status_code == 404
    assert board.heartbeat().status_code == 200
