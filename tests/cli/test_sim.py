"""``dispctl sim`` as processes: how it starts, what it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import serial

from dispctl.errors import ExitCode
from dispctl.virtual.esp_image import IMAGE_OFFSET, build_image
from dispctl.virtual.flash import NorFlash
from tests.end_to_end.processes import Dispctl, Running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE_S = 30
BUSY_MAIN = "while True: pass"


@pytest.fixture
def sim(tmp_path: Path) -> Dispctl:
    return Dispctl({"DISPCTL_SIM_DIR": str(tmp_path / "sim"), "XDG_DATA_HOME": str(tmp_path / "data")})


@contextmanager
def board(sim: Dispctl, tmp_path: Path, *options: str) -> Iterator[Running]:
    """A running board with MicroPython in its flash."""
    flash = NorFlash(tmp_path / "flash")
    if flash.read(IMAGE_OFFSET, 1) == b"\xff":
        flash.program(IMAGE_OFFSET, build_image())
    flash.close()
    arguments = ("sim", "run", "--rfc2217-port", "0", "--flash", str(tmp_path / "flash"), *options)
    with sim.start(*arguments) as running:
        running.wait_for("rfc2217://")
        yield running


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for `condition`."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what


def children(pid: int) -> list[int]:
    """The processes that `pid` has started and that still run."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.micropython
def test_it_is_run_found_faulted_and_stopped(sim: Dispctl, tmp_path: Path) -> None:
    with board(sim, tmp_path, "--json", "--name", "one") as running:
        announced = json.loads(running.lines[0])
        status = sim.json("sim", "status")
        assert status["cable"] == announced["cable"]
        assert status["name"] == "one"
        assert sim.json("sim", "doses", "--name", "one")["jars"][3] == {
            "jar": 4,
            "open": False,
            "stuck": None,
            "total_ms": 0,
            "openings": [],
        }
        sim.done("sim", "wifi", "off")
        assert sim.json("sim", "status")["wifi"]["on_air"] is False
        sim.done("sim", "power", "off")
        assert "one: off" in sim.done("sim", "status")
        assert sim.run("sim", "reset").returncode == ExitCode.REFUSED
        sim.done("sim", "power", "on")
        sim.done("sim", "reset", "--cause", "wdt")
        sim.done("sim", "power", "cut-at", "1")
        assert "one: running" in sim.done("sim", "status")
        sim.done("sim", "stop")
        assert sim.run("sim", "status").returncode == ExitCode.NO_BOARD


@pytest.mark.micropython
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's RFC 2217 client
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_interpreter_outlives_its_board(sim: Dispctl, tmp_path: Path, number: signal.Signals) -> None:
    with board(sim, tmp_path, "--json"):
        announced = sim.json("sim", "status")
        pid = next(iter(json.loads(path.read_text())["pid"] for path in (tmp_path / "sim").glob("*.json")))
        with serial.serial_for_url(announced["cable"], 115200, timeout=DEADLINE_S) as port:
            port.write(b"\r")
            assert b">>> " in port.read_until(b">>> ")
            port.write(BUSY_MAIN.encode() + b"\r\r")
            port.read_until(b"... \r\n")
        (interpreter,) = children(pid)
        os.kill(pid, number)
        until(lambda: not is_running(pid), "the board did not end")
        until(lambda: not is_running(interpreter), "its interpreter went on")
        left = list((tmp_path / "sim").iterdir())
        assert (left == []) == (number is not signal.SIGKILL)
    assert sim.run("sim", "status").returncode == ExitCode.NO_BOARD


@pytest.mark.micropython
def test_two_boards_need_two_names_and_are_told_apart(sim: Dispctl, tmp_path: Path) -> None:
    with board(sim, tmp_path, "--name", "a"):
        second = sim.run("sim", "run", "--rfc2217-port", "0", "--name", "a", "--flash", str(tmp_path / "f2"))
        assert second.returncode == ExitCode.NO_BOARD
        assert "running already" in second.stderr
        (tmp_path / "b").mkdir()
        with board(sim, tmp_path / "b", "--name", "b"):
            asked = sim.run("sim", "status")
            assert asked.returncode == ExitCode.USAGE
            assert "a, b" in asked.stderr
            first, second = (sim.json("sim", "status", "--name", name) for name in "ab")
            assert second["name"] == "b"
            assert first["mac"] != second["mac"]
            assert first["cable"] != second["cable"]


@pytest.mark.micropython
@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal as Linux makes them")
@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's RFC 2217 client
def test_its_cable_is_a_path_too_and_can_be_pulled(sim: Dispctl, tmp_path: Path) -> None:
    with board(sim, tmp_path, "--json", "--pty", "--mac", "24-6F-28-00-00-07") as running:
        announced = json.loads(running.lines[0])
        assert announced["mac"] == "24:6f:28:00:00:07"
        for name in (announced["pty"], announced["cable"]):
            with serial.serial_for_url(name, 115200, timeout=DEADLINE_S) as port:
                port.write(b"\r")
                assert b">>> " in port.read_until(b">>> ")
        sim.done("sim", "cable", "unplug")
        assert not os.path.lexists(announced["pty"])
        status = sim.json("sim", "status")
        assert (status["plugged"], status["state"]) == (False, "off")
        sim.done("sim", "cable", "plug")
        assert sim.json("sim", "status")["state"] == "running"
        assert os.path.lexists(announced["pty"])
    assert not os.path.lexists(announced["pty"])


@pytest.mark.micropython
def test_faults_reach_the_board_and_show(sim: Dispctl, tmp_path: Path) -> None:
    options = ("--active-low", "--pins", "4,16,17,5", "--flash-timing")
    with board(sim, tmp_path, *options):
        sim.done("sim", "jar", "2", "stuck-open")
        sim.done("sim", "noise", "0.125")
        sim.done("sim", "wifi", "no-dhcp")
        assert "open, stuck" in sim.done("sim", "doses")
        status = sim.done("sim", "status")
        assert "12.50% of the bytes disturbed" in status
        assert "no addresses" in status
        sim.done("sim", "jar", "2", "free")
        assert [one["cause"] for one in sim.json("sim", "doses")["jars"][1]["openings"]] == ["actuator"]
        sim.done("sim", "reset", "--download")
        assert sim.json("sim", "status")["state"] == "download mode"


def test_a_busy_port_is_one_sentence(sim: Dispctl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = sim.run("sim", "run", "--rfc2217-port", str(taken.getsockname()[1]))
    assert ended.returncode == ExitCode.NO_BOARD
    assert "is taken" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_micropython_it_says_what_to_install(sim: Dispctl, tmp_path: Path) -> None:
    hide = "import sys; sys.modules['micropython_run'] = None\nfrom dispctl.__main__ import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", hide, "sim", "run", "--flash", str(tmp_path / "flash")],
        env=sim.environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert ended.returncode == ExitCode.USAGE
    assert "pip install 'dispctl[sim]'" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "--name", "a/b"), ExitCode.USAGE),
        (("run", "--network", "Cozinha"), ExitCode.USAGE),
        (("run", "--flash", "SHORT"), ExitCode.DAMAGED),
        (("run", "--flash", "no/such/folder/flash"), ExitCode.USAGE),
        (("run", "--mac", "24:6f:28"), ExitCode.USAGE),
        (("run", "--pins", "26,27,32"), ExitCode.USAGE),
        (("run", "--pins", "26,27,32,32"), ExitCode.USAGE),
        (("run", "--pins", "26,27,32,x"), ExitCode.USAGE),
        (("run", "--pins", "26,27,32,34"), ExitCode.USAGE),
        (("reset", "--download", "--cause", "wdt"), ExitCode.USAGE),
        (("cable", "plug", "--keep-power"), ExitCode.USAGE),
        (("jar", "5", "free"), ExitCode.USAGE),
        (("noise", "1.5"), ExitCode.USAGE),
        (("power", "cut-at"), ExitCode.USAGE),
        (("power", "off", "3"), ExitCode.USAGE),
        (("doses",), ExitCode.NO_BOARD),
        (("stop", "--name", "nobody"), ExitCode.NO_BOARD),
        (("image", "no/such/folder/image.bin"), ExitCode.USAGE),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    sim: Dispctl, tmp_path: Path, arguments: tuple[str, ...], code: ExitCode
) -> None:
    (tmp_path / "SHORT").write_bytes(b"short")
    words = [str(tmp_path / word) if "/" in word and "a/b" not in word else word for word in arguments]
    words = [word.replace("SHORT", str(tmp_path / "SHORT")) for word in words]
    ended = sim.run("sim", *words)
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_image_it_writes_is_one_that_esptool_takes(sim: Dispctl, tmp_path: Path) -> None:
    report = sim.json("sim", "image", str(tmp_path / "image.bin"))
    assert report["offset"] == IMAGE_OFFSET
    assert (tmp_path / "image.bin").read_bytes() == build_image()
