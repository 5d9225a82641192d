"""The tutorial and the pages of tasks: every command in them ends well, in the order of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.page import DOCS, OPERATOR_PASSWORD, Reader, commands, first_block

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.micropython

TASKS = sorted((DOCS / "tasks").glob("*.md"))


def test_the_tutorial(tmp_path: Path) -> None:
    with Reader(tmp_path, speed=4) as reader:
        reader.follow(DOCS / "tutorial.md")


def test_ci_without_hardware(tmp_path: Path) -> None:
    with Reader(tmp_path) as reader:
        reader.follow(DOCS / "tasks" / "ci.md")


def test_from_a_new_board_to_a_broken_one_and_a_stuck_job(tmp_path: Path) -> None:
    """One reader, who has a backend and has not had a board before."""
    with Reader(tmp_path) as reader:
        reader.type("dispctl backend serve --database sqlite:///kitchen.db")
        reader.type("dispctl sim run --flash board.flash")
        reader.type("dispctl sim image micropython.bin")
        reader.type(f"echo {OPERATOR_PASSWORD} | dispctl login ana --register --password-stdin")
        reader.follow(DOCS / "tasks" / "new-board.md")
        reader.follow(DOCS / "tasks" / "broken-board.md")
        for number, spice in ((2, "Pimenta"), (3, "Cominho")):
            reader.type(f"dispctl jars set {number} --spice {spice} --rate 2 --stock 100")
        reader.type("dispctl send-job --item Sal=90 --item Pimenta=90")
        reader.follow(DOCS / "tasks" / "stuck-job.md")


def test_sending_a_job(tmp_path: Path) -> None:
    """A reader with two jars and a board that is provisioned, who copies the page's recipe."""
    page = DOCS / "send-job.md"
    (tmp_path / "curry.toml").write_text(first_block(page, "toml"))
    with Reader(tmp_path) as reader:
        reader.follow_until(DOCS / "tasks" / "ci.md", "dispctl provision")
        reader.follow(page)


@pytest.mark.parametrize("page", TASKS, ids=lambda page: page.stem)
def test_every_page_of_tasks_has_commands_and_is_listed(page: Path) -> None:
    assert commands(page)
    assert f"tasks/{page.name}" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
