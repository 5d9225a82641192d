"""Two virtual boards at once, and boards by their names, through the real commands."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.operations.bench import shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.processes import Dispctl

pytestmark = pytest.mark.micropython

MACS = {"a": "24:6f:28:00:00:0a", "b": "24:6f:28:00:00:0b"}


@pytest.fixture
def boards(tmp_path: Path, flashed: Path) -> Iterator[Dispctl]:
    """A shell beside two running boards, sim:a and sim:b."""
    dispctl = shell(tmp_path)
    with ExitStack() as running:
        for name, mac in MACS.items():
            flash = tmp_path / f"{name}.flash"
            shutil.copy(flashed, flash)
            process = dispctl.start(
                "sim", "run", "--json", "--name", name, "--mac", mac, "--rfc2217-port", "0", "--no-pacing", "--flash", str(flash)
            )  # fmt: skip
            running.enter_context(process)
            process.wait_for("{")
        yield dispctl


def objects(text: str) -> dict[str, dict[str, object]]:
    """The JSON lines of several boards, by board."""
    return {line["port"]: line for line in map(json.loads, text.splitlines())}


@pytest.mark.parametrize("how", [("--all",), ("--port", "sim:a", "--port", "sim:b")])
def test_all_boards_are_flashed_at_once(boards: Dispctl, image: Path, how: tuple[str, ...]) -> None:
    said = objects(boards.done("flash", *how, "--micropython", str(image), "--json"))
    assert {name: line["mac"] for name, line in said.items()} == {"sim:a": MACS["a"], "sim:b": MACS["b"]}
    assert {line["firmware"] for line in said.values()} == {"0.1.0"}


def test_one_that_fails_stops_no_other_and_gives_the_exit_code(boards: Dispctl) -> None:
    ended = boards.run(
        "flash", "--app-only", "--port", "sim:a", "--port", "sim:gone", "--port", "sim:b", "--json"
    )
    assert ended.returncode == 3
    said = objects(ended.stdout)
    assert said["sim:gone"]["error"]["code"] == 3  # type: ignore[index]
    assert (said["sim:a"]["firmware"], said["sim:b"]["firmware"]) == ("0.1.0", "0.1.0")
    table = boards.run("flash", "--app-only", "--port", "sim:a", "--port", "sim:gone").stdout
    assert [line.split()[0] for line in table.splitlines()] == ["board", "sim:a", "sim:gone"]


def test_a_name_finds_its_board_and_no_other(boards: Dispctl) -> None:
    assert boards.json("ports", "alias", "bench-1", "sim:b") == {"alias": "bench-1", "mac": MACS["b"]}
    assert boards.json("ports", "alias") == {"aliases": {"bench-1": MACS["b"]}}
    assert boards.json("flash", "--app-only", "--port", "bench-1")["mac"] == MACS["b"]
    assert boards.json("inspect-flash", "--port", "bench-1")["job_id"] is None
    listed = {port["port"]: port for port in boards.json("ports", "--identify")["ports"]}
    assert (listed["sim:a"]["mac"], listed["sim:a"]["alias"]) == (MACS["a"], None)
    assert listed["sim:b"]["alias"] == "bench-1"
    boards.done("sim", "stop", "--name", "b")
    refused = boards.run("flash", "--app-only", "--port", "bench-1")
    assert refused.returncode == 4
    assert "sim:a" in refused.stderr
    boards.done("ports", "alias", "bench-1", "--remove")
    assert boards.json("ports", "alias") == {"aliases": {}}


@pytest.mark.parametrize("way", [("--app-only",), ("--force",)])
def test_another_board_than_expected_is_refused(boards: Dispctl, way: tuple[str, ...]) -> None:
    refused = boards.run("flash", *way, "--port", "sim:a", "--expect-mac", MACS["b"].upper())
    assert refused.returncode == 4
    assert f"is {MACS['a']}, not {MACS['b']}" in refused.stderr


def test_one_board_under_two_names_is_refused_before_anything_is_done(boards: Dispctl) -> None:
    cable = boards.json("sim", "status", "--name", "a")["cable"]
    ended = boards.run("flash", "--app-only", "--port", "sim:a", "--port", cable, "--port", "sim:gone")
    assert ended.returncode == 2
    assert f"sim:a and {cable} are the same port." in ended.stderr
