"""What boards call: claim, heartbeat, next job, report."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispctl.backend.store import devices, fleet
from dispctl.backend.store.fleet import SignOfLife
from dispctl.backend.store.tables import Device
from tests.backend.actors import Board, Clock, Cook, accepted, entry, jar, report
from tests.backend.asgi import Client
from tests.backend.conftest import ON_BOTH, CookMaker

pytestmark = ON_BOTH

UNTOUCHED = {1: 100.0, 2: 100.0, 3: 100.0, 4: 100.0}


def claim(client: Client, code: str, **changes: Any) -> Any:
    body = {"uid": "esp-a0b1", "claim_code": code, "fw_version": "0.1.0", "mac": "a0:b1", **changes}
    return client.post("/devices/claim", json=body)


def failed(job: dict[str, Any], order: int, error: str) -> list[dict[str, Any]]:
    """A log of all items done but the one of this order."""
    return [entry(item, "failed", error) if item["ordem"] == order else entry(item) for item in job["itens"]]


class TestClaim:
    def test_a_code_makes_the_board_the_operators(self, cook: Cook, client: Client) -> None:
        answer = accepted(claim(client, cook.claim_code()))

        assert set(answer) == {"device_id", "device_token", "heartbeat_sec"}
        assert answer["heartbeat_sec"] == 30
        (device,) = accepted(cook.client.get("/devices"))["devices"]
        assert device["id"] == answer["device_id"]

    def test_a_code_is_spent_once(self, cook: Cook, client: Client) -> None:
        code = cook.claim_code()
        accepted(claim(client, code))

        again = claim(client, code, uid="esp-other")

        assert (again.status_code, again.json()) == (
            400,
            {"detail": "The claim code is wrong or has expired."},
        )

    def test_a_code_lasts_ten_minutes(self, cook: Cook, client: Client, clock: Clock) -> None:
        early, late = cook.claim_code(), cook.claim_code()
        clock.advance(minutes=9, seconds=59)
        assert claim(client, early).status_code == 200
        clock.advance(seconds=1)
        assert claim(client, late).status_code == 400

    def test_claiming_again_voids_the_token_before(self, cook: Cook, board: Board) -> None:
        newer = cook.claim_board()

        assert newer.heartbeat().status_code == 200
        assert board.heartbeat().status_code == 401
        assert len(accepted(cook.client.get("/devices"))["devices"]) == 1

    def test_a_uid_is_no_key_to_another_operators_board(self, board: Board, new_cook: CookMaker) -> None:
        new_cook("Bia").claim_board()

        assert board.heartbeat().status_code == 200

    def test_codes_cannot_be_guessed(self, cook: Cook, client: Client, clock: Clock) -> None:
        code = cook.claim_code()
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        assert [claim(client, wrong).status_code for _ in range(20)] == [400] * 20

        assert claim(client, code).status_code == 429

        clock.advance(minutes=10)
        assert claim(client, cook.claim_code()).status_code == 200

    def test_a_fleets_right_codes_are_no_guessing(self, cook: Cook, client: Client) -> None:
        for number in range(30):
            accepted(claim(client, cook.claim_code(), uid=f"esp-{number:04d}"))

    @pytest.mark.parametrize(
        "change", [{"uid": "abc"}, {"uid": "x" * 65}, {"claim_code": "12345"}, {"claim_code": "12345a"}]
    )
    def test_a_malformed_claim_is_refused(self, client: Client, change: dict[str, str]) -> None:
        assert claim(client, "123456", **change).status_code == 422


class TestToken:
    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}])
    def test_every_call_needs_one(self, client: Client, headers: dict[str, str]) -> None:
        for response in (
            client.post("/devices/me/heartbeat", json={}, headers=headers),
            client.get("/devices/me/next_job", headers=headers),
            client.post("/devices/me/jobs/1/complete", json=report([]), headers=headers),
            client.post("/devices/me/jobs/1/status", json={"status": "done"}, headers=headers),
        ):
            assert (response.status_code, response.json()) == (
                401,
                {"detail": "The device token is not valid."},
            )

    def test_it_is_not_kept_itself(self, board: Board, everything_kept: Callable[[], str]) -> None:
        kept = everything_kept()

        assert "esp-a0b1c2" in kept
        assert board.token not in kept


class TestHeartbeat:
    def test_it_keeps_what_the_board_says_and_what_it_leaves_out_stays(
        self, board: Board, app: FastAPI
    ) -> None:
        accepted(board.heartbeat(fw_version="0.2.0", status={"rssi": -61}))
        accepted(board.heartbeat(fw_version="0.3.0"))
        assert kept(app) == [("0.3.0", {"rssi": -61})]

        accepted(board.heartbeat(status={"free_heap": 9}))
        assert kept(app) == [("0.3.0", {"free_heap": 9})]

    def test_who_has_no_token_is_told_that_first(self, board: Board) -> None:
        stranger = Board(board.client, "a token of nobody")

        assert stranger.heartbeat(status="no object").status_code == 401
        assert board.heartbeat(status="no object").status_code == 422

    def test_a_crowd_is_answered_each_as_it_should_be(
        self, cook: Cook, new_cook: CookMaker, app: FastAPI
    ) -> None:
        boards = [cook.claim_board(), *(new_cook(f"Cook {number}").claim_board() for number in range(3))]
        unknown = Board(boards[0].client, "a token of nobody")
        crowd = [*enumerate(boards), (9, unknown)] * 6

        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda one: one[1].heartbeat(status={"place": one[0]}), crowd))

        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 401] * 6
        assert [answer.json() for answer in answers[:4]] == [{"ok": True}] * 4
        assert [said for _, said in kept(app)] == [{"place": place} for place in range(4)]

    def test_a_board_that_is_forgotten_meanwhile_is_told(
        self, cook: Cook, board: Board, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is known when the call comes, and gone when what it says is to be kept."""
        note = fleet.note

        def forgotten(session: Session, signs: Collection[SignOfLife], now: datetime) -> set[int]:
            devices.remove(session, 1, 1)
            return note(session, signs, now)

        monkeypatch.setattr(fleet, "note", forgotten)

        assert board.heartbeat().status_code == 401
        assert kept(app) == []


def kept(app: FastAPI) -> list[tuple[str, dict[str, Any]]]:
    """The firmware and the status of every board, oldest first."""
    with app.state.services.database.read() as session:
        rows = session.scalars(select(Device).order_by(Device.id)).all()
        return [(row.fw_version, row.status) for row in rows]


class TestNextJob:
    def test_it_is_handed_out_until_its_report_comes(self, cook: Cook, board: Board) -> None:
        assert board.next_job().status_code == 204
        assert board.next_job().content == b""
        job = cook.queue_job()

        first = accepted(board.next_job())

        assert {**first, "started_at": None} == job
        assert first["started_at"] is not None
        assert accepted(board.next_job()) == first
        accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))
        assert board.next_job().status_code == 204

    def test_it_carries_the_owners_motor(self, cook: Cook, board: Board) -> None:
        motor = {
            "vibration_intensity": 1,
            "pre_start_delay_ms": 2,
            "post_stop_delay_ms": 3,
            "max_runtime_sec": 40,
        }
        accepted(cook.client.put("/config/motor", json=motor))
        cook.queue_job()

        assert accepted(board.next_job())["motor_config"] == motor

    def test_only_one_of_two_boards_gets_it(self, cook: Cook, board: Board) -> None:
        other = cook.claim_board("esp-other")
        cook.queue_job()

        accepted(other.next_job())

        assert board.next_job().status_code == 204
        accepted(other.next_job())

    def test_a_forgotten_boards_job_is_free_for_another(self, cook: Cook, board: Board) -> None:
        other = cook.claim_board("esp-other")
        job = cook.queue_job()
        accepted(other.next_job())
        devices = {row["uid"]: row["id"] for row in accepted(cook.client.get("/devices"))["devices"]}

        assert cook.client.delete(f"/devices/{devices['esp-other']}").status_code == 204

        assert other.next_job().status_code == 401
        assert accepted(board.next_job())["id"] == job["id"]

    def test_another_owners_board_does_not_get_it(self, cook: Cook, new_cook: CookMaker) -> None:
        cook.queue_job()

        assert new_cook("Bia").claim_board("esp-bia").next_job().status_code == 204


class TestReport:
    def test_a_job_done_takes_its_stock_off_once(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        body = report([entry(item) for item in job["itens"]])

        answers = [accepted(board.complete(job["id"], body)) for _ in range(3)]

        assert answers[0] == answers[1] == answers[2]
        assert answers[0]["ok"] is True
        assert answers[0]["stock_deducted"] is True
        assert cook.stock_g() == dict.fromkeys(range(1, 5), 90.0)
        finished = cook.job(job["id"])
        assert finished["status"] == "done"
        assert finished["finished_at"] is not None
        assert {item["status"] for item in finished["itens"]} == {"done"}

    def test_only_done_entries_take_stock(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()

        accepted(board.complete(job["id"], report(failed(job, 2, "stuck"))))

        assert cook.stock_g() == {1: 90.0, 2: 100.0, 3: 90.0, 4: 90.0}
        finished = cook.job(job["id"])
        assert finished["status"] == "done_partial"
        assert finished["erro_msg"] == "Pimenta (jar 2): stuck"
        assert [item["status"] for item in finished["itens"]] == ["done", "failed", "done", "done"]

    def test_what_was_poured_counts_not_what_was_asked(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()

        accepted(board.complete(job["id"], report([entry(job["itens"][0]) | {"quantidade_g": 3.3}])))

        assert cook.stock_g()[1] == 96.7

    def test_nothing_poured_is_a_failed_job(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        body = report([entry(item, "failed", "no power") for item in job["itens"]])

        answer = accepted(board.complete(job["id"], body))

        assert answer["stock_deducted"] is False
        assert cook.stock_g() == UNTOUCHED
        assert cook.job(job["id"])["status"] == "failed"

    def test_an_item_left_out_makes_it_partial(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()

        accepted(board.complete(job["id"], report([entry(item) for item in job["itens"][:3]])))

        assert cook.job(job["id"])["status"] == "done_partial"
        assert cook.job(job["id"])["itens"][3]["status"] == "failed"

    def test_the_phase_2_spelling_is_the_same_report(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        logs = [entry(item, item_ordem=item["ordem"], real_s=5.02) for item in job["itens"]]

        first = accepted(board.complete(job["id"], {"completados": 4, "falhados": 0, "logs": logs}))
        again = accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))

        assert first == again
        assert cook.stock_g()[1] == 90.0

    def test_where_both_spellings_are_there_the_wires_counts(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        body = report([entry(item) for item in job["itens"]])

        accepted(board.complete(job["id"], {**body, "completados": 0, "falhados": 4, "logs": []}))

        assert cook.job(job["id"])["status"] == "done"

    def test_a_different_second_report_is_refused_and_changes_nothing(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))
        before = cook.job(job["id"])

        for _ in range(2):
            different = board.complete(job["id"], report(failed(job, 1, "lies")))
            assert different.status_code == 409
            assert "kept aside" in different.json()["detail"]

        assert cook.job(job["id"]) == before
        assert cook.stock_g() == dict.fromkeys(range(1, 5), 90.0)

    def test_stock_does_not_fall_below_nothing(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        accepted(
            cook.client.put("/config/robo", json=[jar(1, "Sal", estoque_g=4), jar(2, None, estoque_g=None)])
        )

        accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))

        assert cook.stock_g() == {1: 0.0, 2: None, 3: 90.0, 4: 90.0}

    def test_what_a_cancelled_job_poured_is_taken_off(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        accepted(cook.client.post("/jobs/active/cancel"))

        accepted(board.complete(job["id"], report([entry(job["itens"][0])])))

        assert cook.stock_g()[1] == 90.0
        assert cook.job(job["id"])["status"] == "canceled"

    def test_there_has_to_be_such_a_job_of_the_boards_owner(self, cook: Cook, new_cook: CookMaker) -> None:
        job = cook.queue_job()
        stranger = new_cook("Bia").claim_board("esp-bia")

        foreign = stranger.complete(job["id"], report([]))
        missing = stranger.complete(job["id"] + 1, report([]))

        assert (foreign.status_code, missing.status_code) == (403, 404)
        assert foreign.json() == {"detail": f"Job {job['id']} belongs to another owner."}

    @pytest.mark.parametrize(
        "change",
        [{"frasco": 0}, {"frasco": 5}, {"status": "maybe"}, {"quantidade_g": -1}, {"quantidade_g": "x"}],
    )
    def test_one_bad_entry_makes_the_whole_report_malformed(
        self, cook: Cook, board: Board, change: dict[str, Any]
    ) -> None:
        job = cook.queue_job()
        entries = [entry(item) for item in job["itens"]]
        entries[3] |= change

        response = board.complete(job["id"], {**report([]), "execution_logs": entries})

        assert response.status_code == 422
        assert response.json()["detail"][0]["loc"][:3] == ["body", "execution_logs", 3]
        assert cook.stock_g() == UNTOUCHED
        assert cook.job(job["id"])["status"] == "queued"

    def test_counts_below_nothing_are_malformed(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()

        assert board.complete(job["id"], {**report([]), "itens_falhados": -1}).status_code == 422


class TestOlderCall:
    def test_running_then_done_takes_everything_planned_off_once(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        assert accepted(board.status(job["id"], "running")) == {"ok": True}
        assert cook.job(job["id"])["status"] == "running"

        for _ in range(3):
            assert accepted(board.status(job["id"], "done")) == {"ok": True}

        assert cook.job(job["id"])["status"] == "done"
        assert cook.stock_g() == dict.fromkeys(range(1, 5), 90.0)

    def test_done_and_then_a_report_take_stock_off_once(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        accepted(board.status(job["id"], "done"))

        accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))
        accepted(board.complete(job["id"], report(failed(job, 1, "stuck"))))

        assert cook.stock_g() == dict.fromkeys(range(1, 5), 90.0)

    def test_a_report_and_then_done_take_stock_off_once(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        accepted(board.complete(job["id"], report(failed(job, 1, "stuck"))))

        accepted(board.status(job["id"], "done"))

        assert cook.stock_g() == {1: 100.0, 2: 90.0, 3: 90.0, 4: 90.0}
        assert cook.job(job["id"])["status"] == "done_partial"

    def test_an_error_fails_the_job_and_a_report_still_counts(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        for _ in range(2):
            accepted(board.status(job["id"], "error", "overheated"))
        assert cook.job(job["id"])["status"] == "failed"
        assert cook.job(job["id"])["erro_msg"] == "overheated"
        assert cook.stock_g() == UNTOUCHED

        accepted(board.complete(job["id"], report([entry(job["itens"][0])])))

        assert cook.job(job["id"])["status"] == "done_partial"
        assert cook.stock_g()[1] == 90.0

    def test_a_job_that_has_ended_does_not_start_or_fail_again(self, cook: Cook, board: Board) -> None:
        job = cook.queue_job()
        accepted(board.status(job["id"], "done"))

        for status in ("running", "error"):
            response = board.status(job["id"], status)
            assert (response.status_code, response.json()) == (
                409,
                {"detail": f"Job {job['id']} has ended: done."},
            )

    def test_it_knows_three_words(self, cook: Cook, board: Board) -> None:
        assert board.status(cook.queue_job()["id"], "paused").status_code == 422
