"""Making, changing, deleting and sending recipes."""

import pytest

from tests.backend.actors import Cook, accepted, jar
from tests.backend.conftest import CookMaker
from tests.backend.page.visitor import Page, Visitor, went_to

NEW = "/page/recipes/new"


def test_a_new_recipe_can_be_sent_to_the_dispenser(ana: Visitor, cook: Cook) -> None:
    answer = ana.submit(
        NEW,
        at=NEW,
        name="Feijão",
        portions="6",
        spice_1="Sal",
        amount_1="12,5",
        spice_3="Cominho",
        amount_3="3",
    )
    assert went_to(answer) == "/page/recipes"
    assert "Jar 1 Sal 12.5 g Jar 3 Cominho 3 g for 6 people" in ana.see("/page/recipes").text

    assert went_to(ana.submit("/page/recipes/1/send", people="12")) == "/"

    job = cook.job(1)
    assert job["pessoas_solicitadas"] == 12
    assert [item["quantidade_g"] for item in job["itens"]] == [25.0, 6.0]


def test_a_recipe_is_changed_and_deleted(ana: Visitor, cook: Cook) -> None:
    cook.add_recipe()

    ana.submit("/page/recipes/1", at="/page/recipes/1", name="Frango assado", spice_4="", amount_4="")
    changed = accepted(cook.client.get("/receitas/1"))
    assert changed["nome"] == "Frango assado"
    assert [part["tempero"] for part in changed["ingredientes"]] == ["Sal", "Pimenta", "Cominho"]

    assert went_to(ana.submit("/page/recipes/1/delete")) == "/page/recipes"
    assert ana.get("/page/recipes/1").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"name": " "}, "name", "A recipe needs a name"),
        ({"portions": "21"}, "portions", "Portions are a whole number from 1 to 20."),
        ({"portions": "two"}, "portions", "Portions are a whole number from 1 to 20."),
        ({"amount_1": "0.15"}, "spice-1", "Each ingredient needs a spice and an amount"),
        ({"amount_1": ""}, "spice-1", "Each ingredient needs a spice and an amount"),
        ({"spice_1": "", "amount_1": ""}, "spice-1", "Each ingredient needs a spice and an amount"),
        ({"spice_2": "", "amount_2": "3"}, "spice-1", "Each ingredient needs a spice and an amount"),
    ],
)
def test_what_is_no_recipe_is_refused_with_what_was_typed(
    ana: Visitor, cook: Cook, wrong: dict[str, str], field: str, sentence: str
) -> None:
    typed = {"name": "Feijão", "portions": "6", "spice_1": "Sal", "amount_1": "12"} | wrong

    page = Page(ana.submit(NEW, at=NEW, **typed))

    assert page.status == 422
    assert page.alert.startswith(sentence)
    assert page.one("a", href=f"#{field}")
    assert page.fields()["spice-1"] == typed["spice_1"]
    assert accepted(cook.client.get("/receitas/")) == []


def test_what_the_jars_cannot_serve_is_said_before_and_after_sending(ana: Visitor, cook: Cook) -> None:
    cook.add_recipe(Sal=10.0, Canela=2.0)
    ana.language = "pt"

    assert "Nenhum frasco contém Canela." in ana.see("/").text
    page = Page(ana.submit("/page/recipes/1/send", people="4"))

    assert (page.status, page.alert) == (409, "Nenhum frasco contém Canela.")
    assert accepted(cook.client.get("/jobs/active"))["active"] is None


def test_a_second_job_has_to_wait(ana: Visitor, cook: Cook) -> None:
    cook.add_recipe()
    went_to(ana.submit("/page/recipes/1/send", people="4"))

    page = Page(ana.submit("/page/recipes/1/send", people="4"))

    assert (page.status, page.alert) == (409, "Another job (1) is active.")


@pytest.mark.parametrize("people", ["", "0", "101", "2.5", "many", "9" * 5000])
def test_people_are_counted(ana: Visitor, cook: Cook, people: str) -> None:
    cook.add_recipe()

    page = Page(ana.submit("/page/recipes/1/send", people=people))

    assert page.alert == "The number of people is a whole number from 1 to 100."


def test_another_operators_recipes_are_not_there(ana: Visitor, new_cook: CookMaker) -> None:
    bia = new_cook("Bia")
    recipe_id = bia.add_recipe()
    form = ana.see(NEW).fields() | {"name": "Mine", "portions": "1", "spice-1": "Sal", "amount-1": "1"}

    for path in ("", "/delete", "/send"):
        answer = ana.send(f"/page/recipes/{recipe_id}{path}", **(form | {"people": "4"}))
        assert answer.status_code == 404
    assert accepted(bia.client.get(f"/receitas/{recipe_id}"))["nome"] == "Frango"


def test_a_jar_may_have_been_emptied_of_its_name(ana: Visitor, cook: Cook) -> None:
    cook.add_recipe(Sal=10.0)
    accepted(cook.client.put("/config/robo", json=[jar(1, None)]))

    assert "no jar ? Sal 10 g" in ana.see("/page/recipes").text
