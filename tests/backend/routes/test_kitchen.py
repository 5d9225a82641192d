"""Jars, motor, recipes and the names of spices."""

from typing import Any

import pytest

from tests.backend.actors import Cook, accepted, jar
from tests.backend.conftest import ON_BOTH, CookMaker

pytestmark = ON_BOTH

MOTOR = {
    "vibration_intensity": 10,
    "pre_start_delay_ms": 0,
    "post_stop_delay_ms": 5000,
    "max_runtime_sec": 600,
}
RECIPE = {"nome": "Frango", "porcoes": 4, "ingredientes": [{"tempero": "Sal", "quantidade": 0.1}]}


def without(body: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != key}


def test_a_new_operator_has_no_jars(new_cook: CookMaker) -> None:
    assert accepted(new_cook("Bia").client.get("/config/robo")) == []


def test_jars_come_back_as_they_were_set(new_cook: CookMaker) -> None:
    bia = new_cook("Bia")
    jars = [jar(1, "Sal", estoque_g=99.9), jar(4, "Curry", g_por_seg=None, estoque_g=None)]

    answer = accepted(bia.client.put("/config/robo", json=jars))

    assert [without(row, "updated_at") for row in answer] == jars
    assert all(row["updated_at"].endswith(("Z", "+00:00")) for row in answer)
    assert accepted(bia.client.get("/config/robo")) == answer


def test_jars_that_are_not_named_stay(cook: Cook) -> None:
    accepted(cook.client.put("/config/robo", json=[jar(2, "Canela", estoque_g=5.0)]))

    rows = accepted(cook.client.get("/config/robo"))
    assert [(row["frasco"], row["rotulo"]) for row in rows] == [
        (1, "Sal"),
        (2, "Canela"),
        (3, "Cominho"),
        (4, "Orégano"),
    ]


def test_a_blank_label_means_an_empty_jar(cook: Cook) -> None:
    assert accepted(cook.client.put("/config/robo", json=[jar(1, "  ")]))[0]["rotulo"] is None


@pytest.mark.parametrize(
    "jars",
    [
        [jar(0, "Sal")],
        [jar(5, "Sal")],
        [jar(1, "Sal"), jar(1, "Alho")],
        [jar(1, "Sal", g_por_seg=0)],
        [jar(1, "Sal", estoque_g=-0.1)],
        [jar(1, "S" * 61)],
        [jar(1, "Sal\n")],
        {"frasco": 1},
    ],
)
def test_jars_that_cannot_be_are_refused(cook: Cook, jars: Any) -> None:
    before = cook.stock_g()

    response = cook.client.put("/config/robo", json=jars)

    assert response.status_code == 422
    assert {"type", "loc", "msg"} == set(response.json()["detail"][0])
    assert cook.stock_g() == before


def test_the_motor_has_defaults_and_keeps_what_is_set(cook: Cook) -> None:
    assert accepted(cook.client.get("/config/motor")) == {
        "vibration_intensity": 75,
        "pre_start_delay_ms": 500,
        "post_stop_delay_ms": 300,
        "max_runtime_sec": 300,
    }

    assert accepted(cook.client.put("/config/motor", json=MOTOR)) == MOTOR
    assert accepted(cook.client.put("/config/motor", json=MOTOR)) == MOTOR
    assert accepted(cook.client.get("/config/motor")) == MOTOR


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vibration_intensity", 101),
        ("vibration_intensity", -1),
        ("pre_start_delay_ms", 5001),
        ("post_stop_delay_ms", -1),
        ("max_runtime_sec", 29),
        ("max_runtime_sec", 601),
    ],
)
def test_the_motors_limits_hold(cook: Cook, field: str, value: int) -> None:
    assert cook.client.put("/config/motor", json={**MOTOR, field: value}).status_code == 422


def test_a_recipe_from_its_making_to_its_end(cook: Cook) -> None:
    created = cook.client.post("/receitas/", json=RECIPE)
    assert created.status_code == 201
    recipe = created.json()
    assert recipe["nome"] == "Frango"
    assert recipe["porcoes"] == 4
    assert [without(row, "id") for row in recipe["ingredientes"]] == RECIPE["ingredientes"]
    path = f"/receitas/{recipe['id']}"
    assert accepted(cook.client.get(path)) == recipe
    assert accepted(cook.client.get("/receitas/")) == [recipe]

    changed = {"nome": "Peixe", "porcoes": 2, "ingredientes": [{"tempero": "Alho", "quantidade": 499.9}]}
    assert accepted(cook.client.put(path, json=changed))["ingredientes"][0]["tempero"] == "Alho"
    assert accepted(cook.client.get(path))["nome"] == "Peixe"

    assert cook.client.delete(path).status_code == 204
    for gone in (cook.client.get(path), cook.client.put(path, json=changed), cook.client.delete(path)):
        assert (gone.status_code, gone.json()) == (404, {"detail": f"There is no recipe {recipe['id']}."})


def test_a_recipes_id_is_not_used_again(cook: Cook) -> None:
    first = cook.add_recipe()
    cook.client.delete(f"/receitas/{first}")

    assert cook.add_recipe() > first


def test_another_operators_recipe_is_not_there(cook: Cook, new_cook: CookMaker) -> None:
    recipe_id = cook.add_recipe()
    bia = new_cook("Bia")

    assert bia.client.get(f"/receitas/{recipe_id}").status_code == 404
    assert bia.client.delete(f"/receitas/{recipe_id}").status_code == 404
    assert accepted(bia.client.get("/receitas/")) == []


@pytest.mark.parametrize(
    "change",
    [
        {"nome": ""},
        {"nome": " "},
        {"nome": "F" * 121},
        {"porcoes": 0},
        {"porcoes": 21},
        {"ingredientes": []},
        {"ingredientes": [{"tempero": "Sal", "quantidade": 1}] * 5},
        {"ingredientes": [{"tempero": "", "quantidade": 1}]},
        {"ingredientes": [{"tempero": "S" * 61, "quantidade": 1}]},
        {"ingredientes": [{"tempero": "Sal", "quantidade": 0}]},
        {"ingredientes": [{"tempero": "Sal", "quantidade": 500.1}]},
        {"ingredientes": [{"tempero": "Sal", "quantidade": 0.05}]},
        {"ingredientes": [{"tempero": "Sal"}]},
    ],
)
def test_a_recipe_that_cannot_be_is_refused(cook: Cook, change: dict[str, Any]) -> None:
    assert cook.client.post("/receitas/", json={**RECIPE, **change}).status_code == 422
    assert accepted(cook.client.get("/receitas/")) == []


def test_every_tenth_of_a_gram_is_a_quantity(cook: Cook) -> None:
    for tenths in (1, 3, 7, 1003, 4999, 5000):
        body = {**RECIPE, "ingredientes": [{"tempero": "Sal", "quantidade": tenths / 10}]}
        assert (
            accepted(cook.client.post("/receitas/", json=body))["ingredientes"][0]["quantidade"]
            == tenths / 10
        )


def test_the_catalogue_holds_the_operators_own_spices_once(cook: Cook, new_cook: CookMaker) -> None:
    cook.add_recipe(Zaatar=1.0, sal=1.0)

    names = accepted(cook.client.get("/catalogo/temperos"))

    assert "Zaatar" in names
    assert [name for name in names if name.casefold() == "sal"] == ["Sal"]
    assert "Zaatar" not in accepted(new_cook("Bia").client.get("/catalogo/temperos"))
