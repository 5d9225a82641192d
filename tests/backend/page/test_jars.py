"""Setting jars up by a form, and how they are shown."""

import pytest

from tests.backend.actors import Board, Clock, Cook, accepted, entry, jar, report
from tests.backend.conftest import ON_BOTH
from tests.backend.page.visitor import Page, Visitor, went_to


def tiles(visitor: Visitor) -> list[str]:
    return [tile.text for tile in visitor.see("/").all("li", class_="jar-tile")]


def test_jars_are_shown_with_what_is_left_and_whether_it_will_do(ana: Visitor, cook: Cook) -> None:
    cook.add_recipe(Sal=12.5)
    jars = [
        jar(1, "Sal", estoque_g=12.0),
        jar(2, "Pimenta", estoque_g=0),
        jar(3, None),
        jar(4, "Orégano", estoque_g=None, g_por_seg=None),
    ]
    accepted(cook.client.put("/config/robo", json=jars))

    assert tiles(ana) == [
        "1 Jar 1: Sal 12 g 12 g 2 g/s Low",
        "2 Jar 2: Pimenta 0 g 0 g 2 g/s Empty",
        "3 Jar 3: not used",
        "4 Jar 4: Orégano stock not kept no rate set",
    ]


def test_the_bars_are_to_one_scale_that_holds_the_fullest_jar(ana: Visitor, cook: Cook) -> None:
    accepted(cook.client.put("/config/robo", json=[jar(1, "Sal", estoque_g=350.5)]))

    bars = [meter.attributes for meter in ana.see("/").all("meter")]

    assert {bar["max"] for bar in bars} == {"500"}
    assert bars[0]["value"] == "350.5"


def test_only_what_was_changed_is_saved(ana: Visitor, cook: Cook, clock: Clock) -> None:
    before = {row["frasco"]: row for row in accepted(cook.client.get("/config/robo"))}
    clock.advance(minutes=1)

    answer = ana.submit(
        "/page/jars", at="/page/jars", spice_2=" Páprica ", rate_2="1,25", stock_2="80.5", stock_3=""
    )

    assert went_to(answer) == "/"
    after = {row["frasco"]: row for row in accepted(cook.client.get("/config/robo"))}
    assert [after[number] == before[number] for number in (1, 2, 3, 4)] == [True, False, False, True]
    assert (after[2]["rotulo"], after[2]["g_por_seg"], after[2]["estoque_g"]) == ("Páprica", 1.25, 80.5)
    assert after[3]["estoque_g"] is None


def test_a_form_sent_as_it_came_changes_nothing(ana: Visitor, cook: Cook, clock: Clock) -> None:
    accepted(cook.client.put("/config/robo", json=[jar(1, "Sal", g_por_seg=1 / 3, estoque_g=0.123456)]))
    before = accepted(cook.client.get("/config/robo"))
    clock.advance(minutes=1)

    assert went_to(ana.submit("/page/jars", at="/page/jars")) == "/"

    assert accepted(cook.client.get("/config/robo")) == before


@ON_BOTH
def test_stock_that_a_job_took_meanwhile_is_not_put_back(ana: Visitor, cook: Cook, board: Board) -> None:
    form = ana.see("/page/jars").fields()
    job = cook.queue_job()
    accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))

    page = Page(ana.send("/page/jars", **(form | {"stock-1": "100", "rate-1": "3"})))

    assert page.status == 409
    assert page.alert.startswith("Jar 1 has changed since this page was shown, and nothing was saved.")
    assert page.fields()["stock-1"] == "90"
    assert cook.stock_g()[1] == 90.0
    page_again = page.fields() | {"rate-1": "3"}
    assert went_to(ana.send("/page/jars", **page_again)) == "/"
    assert cook.stock_g()[1] == 90.0


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("rate-1", "0", "Jar 1: the rate is a number above 0, at most 1000 grams a second."),
        ("rate-1", "fast", "Jar 1: the rate is a number above 0, at most 1000 grams a second."),
        ("stock-4", "-1", "Jar 4: the stock is a number of grams from 0 to 1,000,000."),
        ("stock-4", "nan", "Jar 4: the stock is a number of grams from 0 to 1,000,000."),
        ("spice-2", "x" * 61, "Jar 2: the spice's name may have 60 characters."),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_what_was_typed_stays(
    ana: Visitor, cook: Cook, field: str, text: str, sentence: str
) -> None:
    before = accepted(cook.client.get("/config/robo"))
    form = ana.see("/page/jars").fields()

    page = Page(ana.send("/page/jars", **(form | {field: text, "stock-3": "7"})))

    assert (page.status, page.alert) == (422, sentence)
    assert page.one("input", id=field).attributes["aria-invalid"] == "true"
    assert page.one("a", href=f"#{field}")
    assert (page.fields()[field], page.fields()["stock-3"]) == (text, "7")
    assert accepted(cook.client.get("/config/robo")) == before


def test_jars_that_nobody_has_set_up_can_be(visitor: Visitor) -> None:
    went_to(visitor.send("/page/register", name="Caio", password="his own"))

    answer = visitor.submit("/page/jars", at="/page/jars", spice_1="Sal", rate_1="2", stock_1="50")

    assert went_to(answer) == "/"
    assert tiles(visitor)[:2] == ["1 Jar 1: Sal 50 g 50 g 2 g/s", "2 Jar 2: not used"]
