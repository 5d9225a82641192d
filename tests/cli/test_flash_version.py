"""`dispctl flash --micropython VERSION` and a board without MicroPython, with a site on loopback in micropython.org's place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from dispctl.adapters import rom
from dispctl.adapters.micropython_releases import BASE_URL_VARIABLE, TESTED_VERSION
from dispctl.cli.app import app
from dispctl.virtual import esp_image
from tests.adapters.test_micropython_releases import site  # noqa: F401 - a fixture
from tests.operations.fake_rom import FakeRom

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from tests.adapters.test_micropython_releases import Site


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRom:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "DISPCTL_SIM_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    board = FakeRom()
    monkeypatch.setattr(rom, "connect", board.connect)
    return board


@pytest.fixture
def served(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:  # noqa: F811
    monkeypatch.setenv(BASE_URL_VARIABLE, site.url)
    return site


def flash(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["flash", "--port", "x", "--force", "--json", *arguments])


def test_a_version_is_fetched_written_and_kept_for_use_without_the_network(
    board: FakeRom, served: Site
) -> None:
    assert json.loads(flash("--micropython", "v1.28.0").stdout)["micropython"] == "v1.28.0"
    asked = len(served.asked)
    assert json.loads(flash("--micropython", "1.28.0", "--offline").stdout)["micropython"] == "v1.28.0"
    assert len(served.asked) == asked


def test_offline_without_a_kept_image_touches_nothing(board: FakeRom, served: Site) -> None:
    result = flash("--micropython", "1.28.0", "--offline")
    assert result.exit_code == 2
    assert "is not on this machine" in json.loads(result.stdout)["error"]["message"]
    assert (served.asked, board.bauds) == ([], [])


def test_a_blank_board_gets_the_tested_version(board: FakeRom, served: Site) -> None:
    name = f"ESP32_GENERIC-20250911-{TESTED_VERSION}.bin"
    served.serve(f"/resources/firmware/{name}", esp_image.build_image(TESTED_VERSION))
    assert json.loads(flash().stdout)["micropython"] == TESTED_VERSION


def test_what_the_site_sends_is_told_in_one_sentence(board: FakeRom, served: Site) -> None:
    served.serve("/download/ESP32_GENERIC/", b"", status=500)
    result = flash("--micropython", "1.28.0")
    assert result.exit_code == 7
    assert json.loads(result.stdout)["error"]["message"].endswith("answered with HTTP 500.")


def test_app_only_and_micropython_contradict_each_other(board: FakeRom) -> None:
    assert flash("--app-only", "--micropython", "1.28.0").exit_code == 2
