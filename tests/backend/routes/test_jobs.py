"""Jobs, as the operator makes, sees and cancels them."""

from typing import Any

import pytest

from tests.backend.actors import SPICES, Board, Cook, accepted, jar
from tests.backend.conftest import ON_BOTH, CookMaker

pytestmark = ON_BOTH


def test_a_job_has_the_contracts_fields(cook: Cook) -> None:
    job = cook.queue_job()

    assert set(job) == {
        *("id", "status", "receita_id", "pessoas_solicitadas", "multiplicador", "created_at", "started_at"),
        *("finished_at", "erro_msg", "itens", "motor_config"),
    }
    assert (job["status"], job["multiplicador"], job["pessoas_solicitadas"]) == ("queued", 1, 4)
    assert job["started_at"] is job["finished_at"] is job["erro_msg"] is None
    assert job["motor_config"]["max_runtime_sec"] == 300
    assert [(item["ordem"], item["frasco"], item["tempero"]) for item in job["itens"]] == [
        (number, number, spice) for number, spice in enumerate(SPICES, start=1)
    ]
    for item in job["itens"]:
        assert (item["quantidade_g"], item["segundos"], item["status"]) == (10.0, 5.0, "queued")
    assert cook.job(job["id"]) == job


def test_quantities_are_scaled_and_fractions_kept(cook: Cook) -> None:
    job = accepted(cook.order(cook.add_recipe(portions=3, Sal=0.5), people=4))

    item = job["itens"][0]
    assert item["quantidade_g"] == pytest.approx(2 / 3, rel=1e-6)
    assert item["segundos"] == pytest.approx(1 / 3, rel=1e-6)


def test_spices_match_jars_whatever_their_case(cook: Cook) -> None:
    job = accepted(cook.order(cook.add_recipe(4, **{"ORÉGANO": 1.0, "ore\u0301gano ": 1.0})))

    assert [item["frasco"] for item in job["itens"]] == [4, 4]


@pytest.mark.parametrize(
    ("jars", "sentence"),
    [
        ([jar(1, "Canela")], "No jar holds Sal."),
        ([jar(1, "Sal", g_por_seg=None)], "Jar 1 (Sal) has no calibration."),
        (
            [jar(1, "Sal", estoque_g=19.9)],
            "Not enough stock in jar 1 (Sal): 20 g are needed, 19.9 g are left.",
        ),
    ],
)
def test_jars_that_cannot_serve_are_a_conflict(cook: Cook, jars: list[Any], sentence: str) -> None:
    accepted(cook.client.put("/config/robo", json=jars))

    response = cook.order(cook.add_recipe(Sal=10.0), people=8)

    assert (response.status_code, response.json()) == (409, {"detail": sentence})
    assert accepted(cook.client.get("/jobs/active")) == {"active": None}


def test_stock_is_enough_when_it_is_just_enough_or_nobody_counts_it(cook: Cook) -> None:
    recipe_id = cook.add_recipe(Sal=10.0)
    for stock_g in (20.0, None):
        accepted(cook.client.put("/config/robo", json=[jar(1, "Sal", estoque_g=stock_g)]))
        accepted(cook.order(recipe_id, people=8))
        accepted(cook.client.post("/jobs/active/cancel"))


def test_one_jar_for_two_ingredients_has_to_serve_both(cook: Cook) -> None:
    response = cook.order(cook.add_recipe(Sal=60.0, sal=60.0))

    assert response.status_code == 409
    assert "120 g are needed" in response.json()["detail"]


def test_a_second_active_job_is_a_conflict(cook: Cook) -> None:
    job = cook.queue_job()

    response = cook.order(job["receita_id"])

    assert (response.status_code, response.json()) == (
        409,
        {"detail": f"Another job ({job['id']}) is active."},
    )


def test_two_operators_have_a_job_each(cook: Cook, new_cook: CookMaker) -> None:
    bia = new_cook("Bia")
    bia.set_up_jars()

    mine, hers = cook.queue_job(), bia.queue_job()

    assert mine["id"] != hers["id"]
    assert bia.client.get(f"/jobs/{mine['id']}").status_code == 404
    assert bia.order(mine["receita_id"]).json() == {"detail": f"There is no recipe {mine['receita_id']}."}


@pytest.mark.parametrize(
    "body",
    [
        {"receita_id": 1, "pessoas_solicitadas": 0},
        {"receita_id": 1, "pessoas_solicitadas": 101},
        {"receita_id": "x", "pessoas_solicitadas": 1},
        {"receita_id": 10**30, "pessoas_solicitadas": 1},
        {"receita_id": 1, "pessoas_solicitadas": 1, "multiplicador": 2},
        {"receita_id": 1},
        [],
    ],
)
def test_a_malformed_order_is_refused(cook: Cook, body: Any) -> None:
    assert cook.client.post("/jobs", json=body).status_code == 422


def test_the_active_job_and_its_cancelling(cook: Cook, board: Board) -> None:
    assert accepted(cook.client.get("/jobs/active")) == {"active": None}
    assert accepted(cook.client.post("/jobs/active/cancel")) == {"ok": True, "cancelled": 0}
    job = cook.queue_job()
    taken = accepted(board.next_job())
    assert accepted(cook.client.get("/jobs/active")) == {
        "active": {"id": job["id"], "status": "queued", "started_at": taken["started_at"]}
    }

    assert accepted(cook.client.post("/jobs/active/cancel")) == {"ok": True, "cancelled": 1}

    cancelled = cook.job(job["id"])
    assert cancelled["status"] == "canceled"
    assert cancelled["finished_at"] is not None
    assert cancelled["erro_msg"] == "Cancelled by the operator."
    assert board.next_job().status_code == 204
    assert accepted(cook.order(job["receita_id"]))["id"] == job["id"] + 1


def test_a_job_outlives_its_recipe(cook: Cook, board: Board) -> None:
    job = cook.queue_job()

    cook.client.delete(f"/receitas/{job['receita_id']}")

    assert accepted(board.next_job())["receita_id"] == job["receita_id"]


def test_there_is_no_job_beyond_the_last(cook: Cook) -> None:
    job = cook.queue_job()

    missing = cook.client.get(f"/jobs/{job['id'] + 1}")

    assert (missing.status_code, missing.json()) == (404, {"detail": f"There is no job {job['id'] + 1}."})
    assert cook.client.get("/jobs/nonsense").status_code == 422
