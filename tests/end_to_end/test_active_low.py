"""A board whose relays open at the low level: from blank to poured, no jar opens that was not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conftest import SPEED, SSID, WIFI_PASSWORD, Board, Workshop, start_board

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAC = "24:6f:28:00:00:03"


@pytest.fixture
def blank(workshop: Workshop, tmp_path: Path) -> Iterator[Board]:
    """A board as it comes, beside filled jars; the backend forgets it at the end."""
    workshop.gateway.unblock()
    workshop.stock_up()
    options = ("--mac", MAC, "--flash", str(tmp_path / "flash"), "--speed", SPEED, "--active-low")
    started = start_board(workshop.dispctl, "active-low", *options)
    with started.process, started.control:
        yield started
    workshop.forget_board(MAC)


def test_nothing_opens_but_what_was_asked_for(workshop: Workshop, blank: Board) -> None:
    at = ("--port", blank.port)
    workshop.dispctl.done("flash", *at, "--micropython", str(workshop.image), "--yes")
    workshop.dispctl.done(
        "provision", *at, "--ssid", SSID, "--password-stdin", "--board-backend", workshop.gateway.url,
        "--actuator", "relay-active-low", stdin=WIFI_PASSWORD,
    )  # fmt: skip
    assert blank.poured_ms() == [0, 0, 0, 0]
    workshop.dispctl.done("send-job", "--item", "Sal=10", "--item", "Pimenta=4", "--wait", "--timeout", "60")
    assert [round(poured / 1000) for poured in blank.poured_ms()] == [5, 2, 0, 0]
    blank.press_reset()
    workshop.dispctl.done("provision", *at, "--test")
    doses = workshop.dispctl.json("sim", "doses", "--name", blank.name)
    assert [len(jar["openings"]) for jar in doses["jars"]] == [1, 1, 0, 0]
