"""`flash` and `inspect-flash` on a virtual board: real esptool, real mpremote, real MicroPython, real littlefs."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dispctl.adapters.port import holders, open_port, resolve
from dispctl.adapters.port_reader import Received
from dispctl.adapters.repl import open_repl
from dispctl.firmware import pour
from dispctl.operations import update_scripts
from dispctl.operations.firmware_package import bytecode_package
from dispctl.operations.monitor import LineSeen, monitor
from tests.operations.bench import PORT, put_files
from tests.operations.saved_jobs import SAVED

if TYPE_CHECKING:
    from tests.end_to_end.processes import Dispctl

pytestmark = pytest.mark.micropython

SETTINGS = b'{"ssid": "nowhere", "password": "x"}'


def test_a_blank_board_is_brought_to_the_running_firmware(
    blank_board: str, dispctl: Dispctl, image: Path
) -> None:
    result = dispctl.json("flash", "--port", blank_board, "--micropython", str(image))
    assert result["firmware"] == "0.1.0"
    assert result["uid"] == "esp-" + result["mac"].replace(":", "")
    assert result["kept"] == []


def test_a_traceback_of_the_bytecode_leads_to_the_source_here(board: str) -> None:
    with open_repl(board) as session:
        assert session.run("import firmware.pour\nprint(firmware.pour.__file__)").strip().endswith(".mpy")
        said = session.run(
            "import sys\ntry:firmware.pour.Pour._elapsed_ms(None)\nexcept AttributeError as e:sys.print_exception(e)"
        )
    last = list(monitor([Received(None, said.encode())]))[-1]
    assert isinstance(last, LineSeen)
    assert (last.log.fields["exception"], last.log.fields["function"]) == ("AttributeError", "_elapsed_ms")
    lines, first = inspect.getsourcelines(pour.Pour._elapsed_ms)
    assert last.source is not None
    assert last.source.line == first + 1
    assert (last.source.path, last.source.code) == (Path(pour.__file__), lines[1].strip())


def test_nothing_of_updates_shines_through_a_whole_flash(board: str, dispctl: Dispctl) -> None:
    for arguments in (("--app-only", "--source"), ("--app-only",), ()):
        result = dispctl.json("flash", "--port", board, *arguments)
        assert result["firmware"] == "0.1.0"
    with open_repl(board) as session:
        told = update_scripts.read_survey(session.run(update_scripts.SURVEY)).digests
    assert told == {path: update_scripts.digest(data) for path, data in bytecode_package().files.items()}


def test_flashing_again_keeps_settings_and_the_saved_job(board: str, dispctl: Dispctl) -> None:
    put_files({**SAVED["mid-item"], "settings.json": SETTINGS, "notes.txt": b"mine"})
    before = dispctl.json("inspect-flash", "--port", board, "--via", "rom")
    assert before["job_id"] == 7
    result = dispctl.json("flash", "--port", board)
    assert set(result["kept"]) >= {"/job_state", "/job_state.progress", "/settings.json", "/notes.txt"}
    for via in ("control", "repl", "rom"):
        after = dispctl.json("inspect-flash", "--port", board, "--via", via)
        assert {**after, "via": ""} == {**before, "via": ""}


def test_killed_in_the_middle_the_same_command_brings_it_to_the_end(
    board: str, dispctl: Dispctl, image: Path
) -> None:
    put_files({**SAVED["mid-item"], "settings.json": SETTINGS})
    flash = ("flash", "--port", board, "--force", "--micropython", str(image))
    for delay_s in (0.6, 0.9, 1.1, 1.3):
        with subprocess.Popen(
            [sys.executable, "-m", "dispctl", *flash], env=dispctl.environment, stderr=subprocess.DEVNULL
        ) as cut:
            try:
                cut.wait(delay_s)
            except subprocess.TimeoutExpired:
                cut.kill()
    assert dispctl.json(*flash)["firmware"] == "0.1.0"
    assert dispctl.json("inspect-flash", "--port", board)["job_id"] == 7


def test_looking_by_control_line_stops_nothing(board: str, dispctl: Dispctl) -> None:
    uptime = uptime_ms(board)
    assert dispctl.json("inspect-flash", "--port", board)["via"] == "control"
    assert uptime_ms(board) > uptime


def uptime_ms(port: str) -> int:
    from dispctl.adapters.control import open_control

    with open_control(port) as control:
        return int(control.request("status")["uptime_ms"])


@pytest.mark.parametrize("via", ["control", "repl", "rom"])
def test_clearing_saves_asks_and_removes(board: str, dispctl: Dispctl, via: str) -> None:
    put_files(SAVED["queued"])
    look = ("inspect-flash", "--port", board, "--via", via)
    refused = dispctl.run(*look, "--clear")
    assert refused.returncode == 2
    assert "will hand job 7 out again" in refused.stderr
    assert dispctl.json(*look)["job_id"] == 7
    cleared = dispctl.json(*look, "--clear", "--yes")
    assert cleared["cleared"]
    assert cleared["backup"].endswith(".zip")
    assert dispctl.json(*look)["job_id"] is None


def test_a_held_cable_names_its_holder(board: str, dispctl: Dispctl) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "dispctl", "monitor", "--port", board],
        env=dispctl.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as monitor:  # fmt: skip
        wait_until_held()
        for command in (("flash",), ("inspect-flash",), ("inspect-flash", "--via", "rom")):
            refused = dispctl.run(*command, "--port", board, "--json")
            assert refused.returncode == 3
            assert str(monitor.pid) in json.loads(refused.stdout)["error"]["message"]
        listed = dispctl.json("ports")["ports"]
        assert [str(monitor.pid) in str(port["held_by"]) for port in listed if port["port"] == board] == [
            True
        ]
        monitor.kill()


def wait_until_held() -> None:
    cable = resolve(PORT)
    deadline = time.monotonic() + 20
    while not holders(cable):
        assert time.monotonic() < deadline, "the monitor never took the cable"
        time.sleep(0.02)


def test_a_board_without_a_filesystem_is_not_stopped_from_being_flashed(board: str, dispctl: Dispctl) -> None:
    from dispctl.adapters import rom

    with rom.connect(board) as session:
        session.erase(0x200000, 0x2000)
    assert dispctl.json("flash", "--port", board)["firmware"] == "0.1.0"


def test_opening_the_cable_does_not_reset_the_board(board: str) -> None:
    before = uptime_ms(board)
    for _ in range(3):
        port: Any = open_port(board)
        port.close()
    assert uptime_ms(board) > before


@pytest.mark.parametrize("via", ["auto", "repl", "rom"])
def test_a_cleared_job_is_put_back(board: str, dispctl: Dispctl, via: str) -> None:
    put_files(SAVED["mid-item"])
    look = ("inspect-flash", "--port", board)
    before = dispctl.json(*look, "--via", "rom")
    backup = dispctl.json(*look, "--clear", "--yes")["backup"]
    restored = dispctl.json(*look, "--via", via, "--restore", backup, "--yes")
    assert restored["restored"] == 7
    assert dispctl.json(*look, "--via", "rom") == before
