"""Boards: a code for a new one, which are online, forgetting one."""

from tests.backend.actors import Board, Clock, Cook, accepted
from tests.backend.conftest import CookMaker
from tests.backend.page.visitor import Page, Visitor, went_to


def codes(page: Page) -> list[str]:
    return [code.text.split(" for one board")[0].replace(" ", "") for code in page.all("p", class_="code")]


def test_a_code_is_shown_until_a_board_has_spent_it(ana: Visitor, cook: Cook) -> None:
    assert went_to(ana.submit("/page/boards/claim")) == "/page/boards"
    (code,) = codes(ana.see("/page/boards"))
    assert codes(ana.see("/page/boards")) == [code]  # loading the page again makes no other

    claim = {"uid": "esp-112233", "claim_code": code}
    accepted(cook.client.post("/devices/claim", json=claim))

    page = ana.see("/page/boards")
    assert codes(page) == []
    assert "esp-112233 online" in page.one("section", id="boards").text


def test_a_code_goes_when_its_time_is_over_and_is_its_operators_alone(
    ana: Visitor, new_cook: CookMaker, clock: Clock
) -> None:
    new_cook("Bia").claim_code()
    ana.submit("/page/boards/claim")
    assert len(codes(ana.see("/page/boards"))) == 1

    clock.advance(minutes=11)

    assert codes(ana.see("/page/boards")) == []


def test_a_board_that_was_not_heard_of_for_long_is_offline(
    ana: Visitor, cook: Cook, board: Board, clock: Clock
) -> None:
    clock.advance(minutes=2)
    cook.claim_board("esp-d4e5f6")

    names = [element.text for element in ana.see("/").all("li", class_="board")]

    assert names == ["esp-d4e5f6 online", "esp-a0b1c2 offline"]


def test_a_forgotten_board_is_gone_and_its_token_void(ana: Visitor, board: Board) -> None:
    assert went_to(ana.submit("/page/boards/1/forget")) == "/page/boards"

    assert board.next_job().status_code == 401
    assert "No board belongs to you yet." in ana.see("/page/boards").text
    assert ana.submit("/page/boards/1/forget").status_code == 404
