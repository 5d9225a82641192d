"""What the page shows of jobs, and what its buttons do."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.backend.actors import Board, Clock, Cook, accepted, entry, jar, report
from tests.backend.conftest import ON_BOTH, CookMaker
from tests.backend.page.visitor import Element, Page, Visitor, went_to

pytestmark = ON_BOTH


def items(page: Page) -> list[str]:
    return [item.text for item in page.all("li", class_="item")]


def card(page: Page) -> Element:
    return page.one("section", id="job")


def partly_done(cook: Cook, board: Board) -> dict[str, Any]:
    """A job of which the third of four items failed."""
    job = cook.queue_job()
    entries = [entry(item) for item in job["itens"]]
    entries[2] = entry(job["itens"][2], "failed", "the jar is stuck")
    accepted(board.complete(job["id"], report(entries)))
    return job


def test_without_a_job_the_page_says_what_to_do(ana: Visitor) -> None:
    assert "Nothing has been sent yet" in card(ana.see("/")).text


def test_a_job_waits_until_a_board_asks_and_says_when_none_is_there(
    ana: Visitor, cook: Cook, clock: Clock
) -> None:
    cook.queue_job()

    assert "No board is online: the job waits until one is." in card(ana.see("/")).text

    cook.claim_board()
    page = ana.see("/")
    assert "It is handed to the next board that asks." in card(page).text
    assert items(page)[0] == "Jar 1 Sal 10 g Waits"
    assert not page.all("progress")


def test_a_job_being_poured_shows_its_plan_and_says_that_it_is_one(
    ana: Visitor, cook: Cook, board: Board, clock: Clock
) -> None:
    cook.queue_job()
    accepted(board.next_job())

    page = ana.see("/")

    assert card(page).attributes["data-job"] == "1"
    assert "The bars show the plan" in card(page).text
    plan = [
        (float(item.attributes["data-begins"]), float(item.attributes["data-seconds"]))
        for item in page.all("li", class_="item")
    ]
    # 10 g at 2 g/s, half a second before and three tenths after each.
    assert plan == [(0.5, 5.0), (6.3, 5.0), (12.1, 5.0), (17.9, 5.0)]
    assert len(page.all("progress")) == 4

    clock.advance(minutes=5)
    assert "The board cannot be heard at the moment. It goes on pouring" in card(ana.see("/")).text


def test_partial_success_is_shown_as_such_with_what_failed_and_why(
    ana: Visitor, cook: Cook, board: Board
) -> None:
    partly_done(cook, board)

    page = ana.see("/")

    assert page.one("span", class_="state-done_partial").text == "Partial success"
    assert "3 of 4 were poured" in card(page).text
    assert items(page)[1:3] == [
        "Jar 2 Pimenta 10 g Poured",
        "Jar 3 Cominho 10 g Failed Why: the jar is stuck",
    ]
    assert card(page).attributes["data-announce"] == ("Job 1: Partial success. Cominho: the jar is stuck.")
    (row,) = ana.see("/page/jobs").all("li", class_="card")
    assert row.text.startswith("Partial success Frango for 4 people")
    assert row.text.endswith("Cominho: the jar is stuck")
    ana.language = "pt"
    assert "Sucesso parcial" in card(ana.see("/page/jobs/1")).text


def test_what_failed_is_poured_again_alone_and_once(ana: Visitor, cook: Cook, board: Board) -> None:
    job = partly_done(cook, board)

    assert went_to(ana.submit(f"/page/jobs/{job['id']}/retry")) == "/"
    again = Page(ana.submit(f"/page/jobs/{job['id']}/retry"))

    assert (again.status, again.alert) == (409, "Another job (2) is active.")
    retried = cook.job(2)
    assert [(item["frasco"], item["quantidade_g"]) for item in retried["itens"]] == [(3, 10.0)]
    accepted(board.complete(2, report([entry(item) for item in retried["itens"]])))
    assert cook.stock_g() == dict.fromkeys((1, 2, 3, 4), 90.0)
    late = Page(ana.submit(f"/page/jobs/{job['id']}/retry"))
    assert (late.status, late.alert) == (409, "Nothing of job 1 can be poured again.")
    assert "Pour again" not in ana.see(f"/page/jobs/{job['id']}").text


def test_many_hands_on_the_button_at_once_make_one_job(ana: Visitor, cook: Cook, board: Board) -> None:
    job = partly_done(cook, board)
    form = ana.see("/").fields()

    with ThreadPoolExecutor(16) as hands:
        answers = list(hands.map(lambda _: ana.send(f"/page/jobs/{job['id']}/retry", **form), range(16)))

    assert sorted(answer.status_code for answer in answers) == [303] + 15 * [409]
    assert cook.job(2)["status"] == "queued"
    assert cook.client.get("/jobs/3").status_code == 404


def test_pouring_again_takes_the_jars_as_they_are_now(ana: Visitor, cook: Cook, board: Board) -> None:
    job = partly_done(cook, board)
    accepted(cook.client.put("/config/robo", json=[jar(3, "Cominho", estoque_g=4.0)]))

    page = Page(ana.submit(f"/page/jobs/{job['id']}/retry"))

    assert page.status == 409
    assert page.alert == "Not enough stock in jar 3 (Cominho): 10 g are needed, 4 g are left."


def test_a_job_that_no_board_took_is_cancelled_for_good(ana: Visitor, cook: Cook) -> None:
    job = cook.queue_job()

    assert went_to(ana.submit(f"/page/jobs/{job['id']}/cancel")) == "/"

    page = ana.see("/")
    assert page.one("span", class_="state-canceled").text == "Cancelled"
    assert "Nothing was poured." in card(page).text
    assert "Pour again what is missing" in card(page).text


def test_a_cancelled_job_that_a_board_has_is_not_poured_again_before_its_report(
    ana: Visitor, cook: Cook, board: Board
) -> None:
    job = cook.queue_job()
    accepted(board.next_job())
    went_to(ana.submit(f"/page/jobs/{job['id']}/cancel"))

    page = ana.see("/")
    assert "may go on pouring it" in card(page).text
    assert items(page)[0].endswith("Not known yet")
    assert Page(ana.submit(f"/page/jobs/{job['id']}/retry")).status == 409

    done = entry(job["itens"][0])
    rest = [entry(item, "failed", "aborted") for item in job["itens"][1:]]
    accepted(board.complete(job["id"], report([done, *rest])))
    page = ana.see("/")
    assert "1 of 4 were poured before that." in card(page).text
    went_to(ana.submit(f"/page/jobs/{job['id']}/retry"))
    assert len(cook.job(2)["itens"]) == 3


def test_cancelling_spares_a_job_that_was_begun_since(ana: Visitor, cook: Cook, board: Board) -> None:
    job = cook.queue_job()
    accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))
    accepted(cook.order(1))

    page = Page(ana.submit(f"/page/jobs/{job['id']}/cancel"))

    assert (page.status, page.alert) == (409, "Job 1 has ended already.")
    assert cook.job(2)["status"] == "queued"


def test_a_job_given_up_by_the_older_call_says_why(ana: Visitor, cook: Cook, board: Board) -> None:
    job = cook.queue_job()
    accepted(board.status(job["id"], "error", "no jar moves"))

    page = ana.see("/")

    assert "The job failed." in card(page).text
    assert "no jar moves" in card(page).text
    assert items(page)[0].endswith("Not poured")


def test_another_operators_jobs_are_not_there(ana: Visitor, new_cook: CookMaker) -> None:
    bia = new_cook("Bia")
    bia.set_up_jars()
    job = bia.queue_job()

    assert ana.get(f"/page/jobs/{job['id']}").status_code == 404
    for button in ("cancel", "retry"):
        assert ana.submit(f"/page/jobs/{job['id']}/{button}").status_code == 404
    assert bia.job(job["id"])["status"] == "queued"
    assert not ana.see("/page/jobs").all("li", class_="card")


def test_the_history_goes_back_to_the_first_job(ana: Visitor, cook: Cook) -> None:
    recipe_id = cook.add_recipe()
    for _ in range(23):
        accepted(cook.order(recipe_id))
        accepted(cook.client.post("/jobs/active/cancel"))
    accepted(cook.client.delete(f"/receitas/{recipe_id}"))

    newest = ana.see("/page/jobs")
    (older,) = [link.attributes["href"] for link in newest.all("a") if link.text == "Older jobs"]
    oldest = ana.see(older)

    assert [len(page.all("li", class_="card")) for page in (newest, oldest)] == [20, 3]
    assert "A recipe that is gone" in oldest.text
    assert "Older jobs" not in oldest.text
