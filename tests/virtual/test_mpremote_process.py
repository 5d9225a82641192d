"""The released mpremote, unmodified, as a process of its own over RFC 2217 against ``dispctl sim run``."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - pytest's fixture
from typing import TYPE_CHECKING

import pytest

from dispctl.virtual.esp_image import IMAGE_OFFSET, build_image
from dispctl.virtual.flash import NorFlash
from tests.end_to_end.processes import Dispctl

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.micropython

TIMEOUT_S = 60
FILE = hashlib.shake_128(b"a file that is no text").digest(3000)


@dataclass
class Tool:
    """mpremote, connected to a board of its own, and that board's commands."""

    url: str
    sim: Dispctl
    folder: Path

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """What ``mpremote connect … arguments`` prints; fails on another exit code."""
        command = [sys.executable, "-m", "mpremote", "connect", self.url, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    flash = NorFlash(tmp_path / "flash")
    flash.program(IMAGE_OFFSET, build_image())
    flash.close()
    sim = Dispctl({"DISPCTL_SIM_DIR": str(tmp_path / "sim")})
    with sim.start("sim", "run", "--rfc2217-port", "0", "--flash", str(tmp_path / "flash")) as running:
        line = running.lines[running.wait_for("cable: ")]
        yield Tool(line.removeprefix("cable: "), sim, tmp_path)


def test_programs_run_and_values_come_back(tool: Tool) -> None:
    (tool.folder / "script.py").write_text("for i in range(3):\n    print('line', i)\n")
    assert tool.run("exec", "print(1 + 1)") == "2\n"
    assert tool.run("eval", "[1, 'x']") == "[1, 'x']\n"
    assert tool.run("exec", "print('Orégano')") == "Orégano\n"
    assert tool.run("run", "script.py") == "line 0\nline 1\nline 2\n"
    assert "ZeroDivisionError" in tool.run("exec", "1/0", exit_code=1)


def test_files_are_copied_listed_hashed_and_removed(tool: Tool) -> None:
    (tool.folder / "data.bin").write_bytes(FILE)
    tool.run("mkdir", ":d", "+", "touch", ":d/empty", "+", "cp", "data.bin", ":d/data.bin")
    assert [line.split() for line in tool.run("ls", ":d").splitlines()[1:]] == [
        ["3000", "data.bin"],
        ["0", "empty"],
    ]
    assert hashlib.sha256(FILE).hexdigest() in tool.run("fs", "sha256sum", "d/data.bin")
    tool.run("cp", ":d/data.bin", "back.bin")
    assert (tool.folder / "back.bin").read_bytes() == FILE
    tool.run("exec", "with open('/t.txt', 'w') as file: file.write('um\\ndois')")
    assert tool.run("cat", ":t.txt") == "um\ndois"
    tool.run("rm", ":t.txt", "+", "rm", "-r", ":d")
    assert tool.run("ls").split()[2:] == ["44", "boot.py"]
    assert "2097152" in tool.run("df")


def test_a_busy_main_is_stopped_and_started_again_by_a_reset(tool: Tool) -> None:
    (tool.folder / "main.py").write_text(
        "import machine\nmachine.Pin(26, machine.Pin.OUT).on()\nwhile True: pass\n"
    )
    tool.run("cp", "main.py", ":main.py")
    tool.run("reset")
    deadline = time.monotonic() + TIMEOUT_S
    while not tool.sim.json("sim", "doses")["jars"][0]["open"]:
        assert time.monotonic() < deadline, tool.sim.done("sim", "status")
    assert tool.run("exec", "print('stopped')") == "stopped\n"
    tool.run("soft-reset")
    assert tool.run("resume", "eval", "__import__('machine').reset_cause()") == "5\n"


def test_a_folder_of_the_host_is_mounted(tool: Tool) -> None:
    (tool.folder / "shared").mkdir()
    (tool.folder / "shared" / "from_host.py").write_text("print('read over the cable')\n")
    assert "read over the cable" in tool.run("mount", "shared", "exec", "import from_host")
