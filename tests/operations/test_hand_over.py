"""A job over the cable: what goes to the board, how it is followed, and what is known at its end."""

from __future__ import annotations

import base64
import json
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from dispctl.adapters.backend_records import Ingredient, Jar, Job, MotorSettings, RecipeDraft
from dispctl.adapters.control import open_control
from dispctl.errors import BackendRefusedError, BackendUnreachableError, BoardRefusedError, DeadlineError
from dispctl.firmware.job import FIRST_LOCAL_ID, parse_job
from dispctl.operations import hand_over
from tests.fake_board import FakeBoard, running
from tests.operations.kitchen import answering

DRAFT = RecipeDraft("Curry", 1, (Ingredient("Sal", 10.0), Ingredient("Pimenta", 4.0)))
JARS = [Jar(1, "Sal", 2.0, 100.0), Jar(2, "Pimenta", 2.0, None)]


def a_job() -> Job:
    return hand_over.local_job(hand_over.planned_items(hand_over.plan_locally(DRAFT, 1, JARS)))


def test_a_local_job_is_one_that_the_firmware_takes_for_local() -> None:
    job = a_job()
    taken: list[bytes] = []

    def put(request: dict[str, Any]) -> dict[str, Any]:
        taken.append(base64.b64decode(request["job"]))
        return {"job": job.id, "ended": False}

    motor = MotorSettings(75, 500, 300, 300)
    with running(FakeBoard(put_job=put)) as board, open_control(board.port) as control:
        assert hand_over.hand_over(control, job, motor) == hand_over.HandedOver(job, ended_before=False)
    read = parse_job(taken[0])
    assert read.local
    assert [(item.frasco, item.asked_ms) for item in read.items] == [(1, 5000), (2, 2000)]
    assert read.motor is not None
    assert (read.motor.intensity, read.motor.max_runtime_ms) == (75, 300_000)


def test_local_ids_are_above_every_backends_and_differ() -> None:
    ids = {a_job().id for _ in range(50)}
    assert len(ids) == 50
    assert min(ids) >= FIRST_LOCAL_ID > 2**31 - 1


def test_without_jars_nothing_can_be_planned() -> None:
    with pytest.raises(BackendUnreachableError, match="never seen here"):
        hand_over.plan_locally(DRAFT, 1, [])
    with pytest.raises(BackendRefusedError, match="No jar holds Pimenta"):
        hand_over.plan_locally(DRAFT, 1, JARS[:1])


def test_a_board_with_a_job_takes_none() -> None:
    with (
        running(FakeBoard(status=lambda _: {"job": 7})) as board,
        open_control(board.port) as control,
        pytest.raises(BoardRefusedError, match="The board has job 7"),
    ):
        hand_over.require_free(control)


@pytest.mark.parametrize(
    ("number", "uid", "online", "refused"),
    [
        (1, "esp-2", True, True),
        (1, "esp-2", False, False),
        (1, "esp-1", True, False),
        (5, "esp-2", True, False),
    ],
)
def test_another_board_online_could_pour_it_too(
    number: int, uid: str, *, online: bool, refused: bool
) -> None:
    device = {"id": number, "uid": uid, "fw_version": None, "last_seen": None, "online": online}
    client = answering(lambda _: httpx.Response(200, json={"devices": [device], "online_any": online}))
    board = hand_over.Identity("esp-1", device_id=5)
    with pytest.raises(BoardRefusedError, match="Board esp-2 is online") if refused else nullcontext():
        hand_over.require_no_other_board(client, board)


def test_a_payload_that_no_board_takes_is_refused_here() -> None:
    draft = RecipeDraft("x", 1, tuple(Ingredient("S" * 1400, 1.0) for _ in range(4)))
    jars = [Jar(1, "S" * 1400, 2.0, None)]
    job = hand_over.local_job(hand_over.planned_items(hand_over.plan_locally(draft, 1, jars)))
    with running(FakeBoard()) as board, open_control(board.port) as control:
        with pytest.raises(BoardRefusedError, match="at most 4096"):
            hand_over.hand_over(control, job, None)
        assert board.ops == []


def test_following_tells_how_far_it_is_and_has_its_limit() -> None:
    job = a_job()
    status = {"job": job.id, "item": 2, "poured_ms": 500, "asked_ms": 2000, "pending_report": False}
    with running(FakeBoard(status=lambda _: status)) as board, open_control(board.port) as control:
        events = hand_over.follow_on_board(control, job, timeout_s=0.2)
        told = next(events)
        assert isinstance(told, hand_over.Poured)
        assert (told.position, told.poured_ms, told.asked_ms) == (2, 500, 2000)
        with pytest.raises(DeadlineError, match="has not ended within"):
            list(events)


def test_a_local_job_is_not_over_before_its_results_are_kept() -> None:
    job = a_job()
    status = {"job": job.id, "item": None, "pending_report": True}
    with running(FakeBoard(status=lambda _: status)) as board, open_control(board.port) as control:
        with pytest.raises(DeadlineError):
            list(hand_over.follow_on_board(control, job, timeout_s=0.1))
        assert set(board.ops) == {"status"}


def test_a_backends_job_that_is_gone_from_the_board_was_reported() -> None:
    job = a_job()
    reported = Job(7, "queued", 1, 1, job.items)
    with running(FakeBoard(status=lambda _: {"job": None})) as board, open_control(board.port) as control:
        assert list(hand_over.follow_on_board(control, reported)) == [
            hand_over.EndedOnBoard(reported, reported=True)
        ]


def test_the_document_is_short_and_keeps_its_letters() -> None:
    taken: list[bytes] = []

    def put(request: dict[str, Any]) -> dict[str, Any]:
        taken.append(base64.b64decode(request["job"]))
        return {}

    jars = [Jar(3, "Orégano", 2.0, None)]
    draft = RecipeDraft("x", 1, (Ingredient("Orégano", 1.0),))
    job = hand_over.local_job(hand_over.planned_items(hand_over.plan_locally(draft, 1, jars)))
    with running(FakeBoard(put_job=put)) as board, open_control(board.port) as control:
        hand_over.hand_over(control, job, None)
    (item,) = json.loads(taken[0])["itens"]
    assert item == {"ordem": 1, "frasco": 3, "tempero": "Orégano", "quantidade_g": 1.0, "segundos": 0.5}
