"""What holds for every page: its headers, no code or style in the page, words for everything, nothing from elsewhere."""

from collections.abc import Iterator
from typing import Any

import pytest

from dispctl.backend.page.assets import ASSETS
from dispctl.backend.page.rendering import CONTENT_SECURITY_POLICY
from tests.backend.actors import Board, Cook, accepted, entry, jar, report
from tests.backend.page.visitor import Page, Visitor

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"
PATHS = (
    *("/", "/page/sign-in", "/page/register", "/page/jars", "/page/recipes", "/page/recipes/new"),
    *("/page/recipes/1", "/page/boards", "/page/jobs", "/page/jobs/1"),
)


@pytest.fixture
def busy(cook: Cook, board: Board) -> Cook:
    """Ana with a job that succeeded in part, one that is being poured, and a code for another board."""
    job = cook.queue_job()
    entries = [entry(item) for item in job["itens"][:3]] + [entry(job["itens"][3], "failed", "stuck")]
    accepted(board.complete(job["id"], report(entries)))
    accepted(cook.order(1))
    accepted(board.next_job())
    cook.claim_code()
    return cook


def pages(visitor: Visitor) -> Iterator[tuple[str, Page]]:
    for path in PATHS:
        yield path, visitor.see(path)


@pytest.mark.parametrize(
    "path", ["/", "/page/sign-in", "/page/jobs/99", "/page/jobs/none", "/page/jobs?before=x"]
)
def test_every_answer_says_what_may_run_and_who_may_frame_it(ana: Visitor, path: str) -> None:
    headers = ana.get(path).headers

    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_no_page_holds_code_or_style(ana: Visitor, busy: Cook) -> None:
    for path, page in pages(ana):
        assert not page.all("style"), path
        for element in page.elements:
            names = set(element.attributes)
            assert "style" not in names, (path, element)
            assert not {name for name in names if name.startswith("on")}, (path, element)
            assert element.tag != "script" or "src" in names, path


def test_every_address_is_the_backends_own_and_is_there(ana: Visitor, busy: Cook) -> None:
    addresses = {
        value
        for _, page in pages(ana)
        for element in page.elements
        for name, value in element.attributes.items()
        if name in {"href", "src", "action"}
    }

    assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in addresses)
    for address in addresses:
        if address.startswith("/page/static/"):
            assert ana.get(address).status_code == 200


def test_every_field_has_a_label_and_every_id_is_there_once(ana: Visitor, busy: Cook) -> None:
    for path, page in pages(ana):
        ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids)), (path, sorted(ids))
        labelled = {label.attributes["for"] for label in page.all("label")}
        for element in page.all("input"):
            if element.attributes.get("type") != "hidden":
                assert element.attributes.get("id") in labelled, (path, element)
        for element in page.elements:
            for name in ("aria-labelledby", "aria-describedby", "list"):
                assert element.attributes.get(name, ids[0]) in ids, (path, element)


def test_every_button_link_and_bar_has_words(ana: Visitor, busy: Cook) -> None:
    for path, page in pages(ana):
        for element in page.elements:
            if element.tag in {"button", "a", "summary", "h1", "h2", "h3"}:
                assert element.text, (path, element)
            if element.tag in {"progress", "meter"}:
                assert element.attributes["aria-label"], (path, element)
        assert len(page.all("h1")) == 1, path
        assert page.one("title").text, path


def test_names_are_text_whatever_they_hold(ana: Visitor, cook: Cook, board: Board) -> None:
    accepted(cook.client.put("/config/robo", json=[jar(1, HOSTILE)]))
    body = {"nome": HOSTILE, "porcoes": 4, "ingredientes": [{"tempero": HOSTILE, "quantidade": 10}]}
    recipe_id = accepted(cook.client.post("/receitas/", json=body))["id"]
    job = accepted(cook.order(recipe_id))
    accepted(board.complete(job["id"], report([entry(job["itens"][0], "failed", HOSTILE)])))

    for path, page in pages(ana):
        assert len(page.all("script")) == 1, path
    overview = ana.see("/")
    assert overview.text.count(HOSTILE) >= 4
    assert overview.one("section", id="job").attributes["data-announce"].count(HOSTILE) == 2
    assert ana.see("/page/recipes/1").fields()["name"] == HOSTILE


def test_a_spice_in_braces_is_no_instruction_to_a_sentence(ana: Visitor, cook: Cook) -> None:
    amounts: dict[str, Any] = {"{jar.__class__}": 10.0}
    recipe_id = cook.add_recipe(**amounts)

    page = Page(ana.submit(f"/page/recipes/{recipe_id}/send", people="4"))

    assert page.alert == "No jar holds {jar.__class__}."


def test_what_is_not_there_is_said_on_a_page_in_the_visitors_language(ana: Visitor) -> None:
    ana.language = "pt"
    for path in ("/page/jobs/none", "/page/jobs?before=0", "/page/recipes/0"):
        page = Page(ana.get(path))
        assert (page.status, page.alert) == (404, "Esta página não existe.")
    assert Page(ana.get("/page/jobs/99")).status == 404


def test_the_files_are_kept_by_browsers_and_change_their_address_with_their_content(visitor: Visitor) -> None:
    for asset in ASSETS.values():
        answer = visitor.get(asset.url)
        assert answer.headers["content-type"] == asset.media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.content == asset.content
    assert visitor.get("/page/static/page.html").status_code == 404
    assert visitor.get("/page/static/..%2f__init__.py").status_code == 404
