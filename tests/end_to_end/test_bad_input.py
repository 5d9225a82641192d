"""Wrong things done on purpose: one sentence of fact, one of what to do, the right exit code, no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conftest import PASSWORD, start_board

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.end_to_end.conftest import Board, Workshop

pytestmark = pytest.mark.micropython

USAGE, NO_BOARD, SILENT, DAMAGED, BACKEND = 2, 3, 5, 6, 7


def assert_clear(ended: subprocess.CompletedProcess[str], code: int, words: str) -> None:
    """The command failed with `code`, said `words`, and did not fall over."""
    assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["flash", "monitor", "inspect-flash", "provision"])
def test_no_such_port(workshop: Workshop, command: str) -> None:
    extra = {"flash": ["--micropython", str(workshop.image)], "provision": ["--show"]}.get(command, [])
    assert_clear(workshop.dispctl.run(command, "--port", "/dev/ttyUSB99", *extra), NO_BOARD, "/dev/ttyUSB99")


def test_no_virtual_board_of_that_name(workshop: Workshop) -> None:
    assert_clear(workshop.dispctl.run("monitor", "--port", "sim:nobody"), NO_BOARD, "nobody")


def test_a_busy_port_names_its_holder(workshop: Workshop, board: Board) -> None:
    with board.monitor() as monitor:
        monitor.wait_for_message("Watching")
        assert_clear(workshop.dispctl.run("inspect-flash", "--port", board.port), NO_BOARD, str(monitor.pid))


def test_wrong_password(workshop: Workshop) -> None:
    ended = workshop.dispctl.run("login", "oficina", "--password-stdin", stdin="not-this-one")
    assert_clear(ended, BACKEND, "does not accept this name and password")
    assert "not-this-one" not in ended.stderr


def test_backend_down(workshop: Workshop) -> None:
    ended = workshop.dispctl.run(
        "login", "oficina", "--password-stdin", "--backend", "http://127.0.0.1:9", stdin=PASSWORD
    )
    assert_clear(ended, BACKEND, "cannot be reached")


def test_unknown_recipe(workshop: Workshop) -> None:
    assert_clear(workshop.dispctl.run("send-job", "Feijoada"), USAGE, "Feijoada")


def test_spice_without_a_jar(workshop: Workshop) -> None:
    workshop.stock_up()
    assert_clear(workshop.dispctl.run("send-job", "--item", "Canela=3"), BACKEND, "Canela")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("job.json", '{"nome": "x", ', "line 1"),
        ("job.toml", "nome = \n", "line 1"),
        (
            "job.json",
            '{"nome": "x", "ingredientes": [{"tempero": "Sal", "quantidade": -1}]}',
            "[0].grams (line 1) must be above 0",
        ),
    ],
)
def test_job_file_that_is_not_valid(
    workshop: Workshop, tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    assert_clear(workshop.dispctl.run("send-job", str(tmp_path / name)), USAGE, words)


def test_corrupted_job_state(workshop: Workshop, tmp_path: Path) -> None:
    board = start_board(workshop.dispctl, "corrupted", "--flash", str(tmp_path / "flash"))
    with board.process, board.control:
        (tmp_path / "job_state").write_bytes(b"\x00garbage" * 9)
        workshop.dispctl.done("flash", "--port", board.port, "--micropython", str(workshop.image))
        copy_with_mpremote(board.cable, tmp_path / "job_state")
        shown = workshop.dispctl.run("inspect-flash", "--port", board.port, "--via", "repl")
    assert shown.returncode == DAMAGED, shown.stderr
    assert "job_state is not a record of this firmware" in shown.stdout


def test_a_file_that_is_no_flash_image(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "page.bin").write_bytes(b"<!DOCTYPE html>" * 9999)
    (tmp_path / "empty.bin").write_bytes(b"")
    page = workshop.dispctl.run("inspect-flash", "--image", str(tmp_path / "page.bin"))
    assert page.returncode == DAMAGED
    assert "no filesystem of MicroPython" in page.stdout
    assert_clear(
        workshop.dispctl.run("inspect-flash", "--image", str(tmp_path / "empty.bin")), DAMAGED, "empty.bin"
    )
    assert_clear(
        workshop.dispctl.run("inspect-flash", "--image", str(tmp_path / "none.bin")), USAGE, "none.bin"
    )


@pytest.mark.parametrize("contents", [b"", b"<!DOCTYPE html>" * 99])
def test_a_file_that_is_no_micropython(workshop: Workshop, tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "page.bin").write_bytes(contents)
    ended = workshop.dispctl.run("flash", "--port", "sim:nobody", "--micropython", str(tmp_path / "page.bin"))
    assert_clear(ended, DAMAGED, "page.bin")


def copy_with_mpremote(cable: str, file: Path) -> None:
    """Put `file` on the board with the released mpremote."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "mpremote", "connect", cable, "fs", "cp", str(file), f":{file.name}"]
    subprocess.run(command, check=True, timeout=30, capture_output=True)
