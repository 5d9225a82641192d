"""What a person sees of a saved job, and the exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from dispctl.cli.app import app
from dispctl.image import littlefs_image
from tests.operations.saved_jobs import SAVED

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")


def look(tmp_path: Path, name: str, *arguments: str) -> Result:
    """Run the command on the image of a board in a state of `SAVED`."""
    files = {f"/{file}": data for file, data in SAVED[name].items()}
    (tmp_path / "dump").write_bytes(littlefs_image.build(files, 0x40000).data)
    return CliRunner().invoke(app, ["inspect-flash", "--image", str(tmp_path / "dump"), *arguments])


def test_a_job_under_way(tmp_path: Path) -> None:
    result = look(tmp_path, "mid-item")
    assert result.exit_code == 0
    assert "Job 7: 1 of 4 items done, 1 failed." in result.stdout
    assert "failed: cancelado pelo operador após 2.000s" in result.stdout
    assert "goes on with item 3/4 (3.500 s left), then reports." in result.stdout


@pytest.mark.parametrize(
    ("name", "words", "exit_code"),
    [
        ("no-job", "No job is saved on the board.", 0),
        ("queued", "goes on with item 1/4 (5.000 s left), then reports.", 0),
        ("unreported", "reports the job; nothing is left to pour.", 0),
        ("rejected", "The report of job 7 was refused for good (HTTP 404: Job não encontrado)", 0),
        ("damaged", "job_state is cut short", 6),
    ],
)
def test_every_state_is_said_in_words(tmp_path: Path, name: str, words: str, exit_code: int) -> None:
    result = look(tmp_path, name)
    assert words in " ".join(result.stdout.split())
    assert result.exit_code == exit_code


@pytest.mark.parametrize("name", list(SAVED))
def test_json_is_one_object_with_the_phase_2_keys(tmp_path: Path, name: str) -> None:
    result = look(tmp_path, name, "--json")
    view = json.loads(result.stdout)
    assert {
        "job_id",
        "total",
        "done",
        "failed",
        "ts_inicio",
        "json",
        "log",
        "items",
        "next",
        "findings",
    } <= set(view)
    assert view["via"] == "image"


def test_an_image_cannot_be_cleared(tmp_path: Path) -> None:
    result = look(tmp_path, "queued", "--clear", "--yes")
    assert result.exit_code == 2
    assert "An image file is only read." in result.stderr


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["inspect-flash", "--image", str(tmp_path / "nothing"), "--json"])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == 2


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "is too short to be a dump of a flash (0 bytes)."),
        ((16 << 20) + 1, "is too large: an ESP32's flash has at most 16 MiB, this 16777217 bytes."),
        (3 << 30, "is too large: an ESP32's flash has at most 16 MiB, this 3 GiB."),
    ],
)
def test_a_file_that_cannot_be_a_flash(tmp_path: Path, size: int, words: str) -> None:
    with (tmp_path / "dump").open("wb") as file:
        file.truncate(size)
    result = CliRunner().invoke(app, ["inspect-flash", "--image", str(tmp_path / "dump")])
    assert (result.exit_code, result.stdout) == (6, "")
    assert f"dump {words}" in result.stderr
    assert "Give a dump of the whole flash" in result.stderr


def test_an_unknown_way_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, ["inspect-flash", "--via", "telepathy"]).exit_code == 2
