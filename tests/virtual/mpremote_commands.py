"""What the released mpremote is tried with, as a process of its own: its documented commands, but for ``edit``."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import subprocess
import time
from typing import TYPE_CHECKING

from dispctl.virtual.board import State
from dispctl.virtual.esp_image import build_image
from tests.virtual.tool_rig import TIMEOUT_S, Tool

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = build_image()
FILE = hashlib.shake_128(b"a file that is no text").digest(3000)
CTRL_X = b"\x18"


class Mpremote(Tool):
    """mpremote, connected to a board that runs MicroPython."""

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """All that ``mpremote connect … arguments`` prints; fails on another exit code."""
        return self.start("connect", self.rig.port(self.way), *arguments, exit_code=exit_code)

    def write(self, name: str, text: str) -> None:
        """Put a file into the host's folder."""
        path = self.rig.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def exec_and_eval(tool: Mpremote) -> None:
    assert tool.run("exec", "print(1 + 1)") == "2\n"
    assert tool.run("eval", "[1, 'x']") == "[1, 'x']\n"
    assert tool.run("exec", "print('Orégano')") == "Orégano\n"
    assert "ZeroDivisionError" in tool.run("exec", "1/0", exit_code=1)


def exec_of_what_exits(tool: Mpremote) -> None:
    assert tool.run("exec", "print('left'); import sys; sys.exit()") == "left\n"
    assert tool.run("resume", "exec", "import machine; print('there'); machine.soft_reset()") == "there\n"
    assert tool.run("eval", "1 + 1") == "2\n"


def exec_that_prints_much(tool: Mpremote) -> None:
    assert tool.run("exec", "for i in range(3000): print(i)") == "".join(f"{i}\n" for i in range(3000))


def run(tool: Mpremote) -> None:
    tool.write("script.py", "for i in range(3):\n    print('line', i)\n")
    assert tool.run("run", "script.py") == "line 0\nline 1\nline 2\n"


def run_of_what_fails(tool: Mpremote) -> None:
    tool.write("script.py", "print('before')\ndef f():\n    raise ValueError('boom')\nf()\n")
    output = tool.run("run", "script.py", exit_code=1)
    assert output.startswith("before\nTraceback")
    assert output.endswith("in f\nValueError: boom\n")


def exec_broken_off(tool: Mpremote) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        command = [*tool.command, "connect", tool.rig.port(tool.way), "exec", "while True: pass"]
        subprocess.run(command, timeout=3, check=False, capture_output=True)
    assert tool.run("exec", "print('there')") == "there\n"


def run_of_a_long_script(tool: Mpremote) -> None:
    tool.write("script.py", "".join(f"value = {number}  # a line of the script\n" for number in range(500)))
    assert tool.run("run", "script.py", "eval", "value") == "499\n"


def no_follow(tool: Mpremote) -> None:
    tool.run("exec", "--no-follow", "import time; time.sleep_ms(1); left = 'behind'")
    assert tool.run("resume", "eval", "left") == "behind\n"


def fs_cp_and_sha256sum(tool: Mpremote) -> None:
    (tool.rig.folder / "data.bin").write_bytes(FILE)
    tool.run("cp", "data.bin", ":data.bin")
    assert hashlib.sha256(FILE).hexdigest() in tool.run("fs", "sha256sum", "data.bin")
    tool.run("cp", ":data.bin", "back.bin")
    assert (tool.rig.folder / "back.bin").read_bytes() == FILE


def fs_mkdir_touch_ls_and_rm(tool: Mpremote) -> None:
    tool.run("mkdir", ":d", "+", "touch", ":d/empty")
    assert [line.split() for line in tool.run("ls", ":d").splitlines()[1:]] == [["0", "empty"]]
    tool.run("rm", ":d/empty", "+", "rmdir", ":d")
    assert tool.run("ls").split()[2:] == ["44", "boot.py"]


def fs_cp_of_a_folder_and_back(tool: Mpremote) -> None:
    for name in ("a.py", "b.py"):
        tool.write(f"package/{name}", f"NAME = {name!r}\n")
    tool.run("cp", "-r", "package", ":")
    assert tool.run("exec", "from package import b; print(b.NAME)") == "b.py\n"
    tool.run("rm", "-r", ":package")
    assert "package" not in tool.run("ls")


def fs_cat(tool: Mpremote) -> None:
    tool.run("exec", "with open('/t.txt', 'w') as file: file.write('um\\ndois')")
    assert tool.run("cat", ":t.txt") == "um\ndois"


def df(tool: Mpremote) -> None:
    assert "2097152" in tool.run("df")


def mount(tool: Mpremote) -> None:
    tool.write("shared/from_host.py", "print('read over the cable')\n")
    assert "read over the cable" in tool.run("mount", "shared", "exec", "import from_host")


def mount_with_modules_that_import_each_other(tool: Mpremote) -> None:
    tool.write("shared/outer.py", "import inner\nprint('outer', inner.NAME)\n")
    tool.write("shared/inner.py", "NAME = 'inner'\n")
    assert tool.run("mount", "shared", "exec", "import outer").endswith("outer inner\n")


def mount_written_to_from_the_board(tool: Mpremote) -> None:
    tool.write("shared/in.txt", "sal")
    program = "open('out.txt', 'w').write(open('in.txt').read() + ' e pimenta')"
    tool.run("mount", "shared", "exec", program, "umount")
    assert (tool.rig.folder / "shared" / "out.txt").read_text() == "sal e pimenta"


def mip_from_a_folder(tool: Mpremote) -> None:
    tool.write("package/spices.py", "NAMES = ['sal']\n")
    tool.write("package/package.json", json.dumps({"urls": [["spices.py", "spices.py"]], "version": "1"}))
    tool.run("mip", "install", "package/package.json")
    assert tool.run("exec", "import spices; print(spices.NAMES)") == "['sal']\n"


def mip_into_another_folder(tool: Mpremote) -> None:
    tool.write("package/spices.py", "NAMES = ['sal']\n")
    tool.write("package/package.json", json.dumps({"urls": [["s/__init__.py", "spices.py"]], "version": "1"}))
    tool.run("mip", "install", "--target", "/there", "--no-mpy", "package/package.json")
    assert tool.run("cat", ":/there/s/__init__.py") == "NAMES = ['sal']\n"


def bootloader_which_this_chip_has_none_of(tool: Mpremote) -> None:
    tool.run("bootloader")
    assert tool.run("exec", "import machine; print(hasattr(machine, 'bootloader'))") == "False\n"


def rtc(tool: Mpremote) -> None:
    tool.run("rtc", "--set")
    assert f"({time.gmtime().tm_year}, " in tool.run("resume", "rtc")


def sleep_and_disconnect(tool: Mpremote) -> None:
    assert tool.run("sleep", "0.1", "exec", "print('awake')", "disconnect") == "awake\n"


def soft_reset_and_resume(tool: Mpremote) -> None:
    tool.run("exec", "kept = 1")
    assert tool.run("resume", "eval", "kept") == "1\n"
    tool.run("soft-reset")
    assert tool.run("resume", "eval", "__import__('machine').reset_cause()") == "5\n"
    assert "NameError" in tool.run("resume", "eval", "kept", exit_code=1)


def reset_starts_main_and_exec_stops_it(tool: Mpremote) -> None:
    tool.write("main.py", "import machine\nmachine.Pin(26, machine.Pin.OUT).on()\nwhile True: pass\n")
    tool.run("cp", "main.py", ":main.py")
    tool.run("reset")
    deadline = time.monotonic() + TIMEOUT_S
    jars = tool.rig.board.hardware.jars
    while not tool.rig.thread.call(jars.report)["jars"][0]["open"]:
        assert time.monotonic() < deadline, tool.rig.state
    assert tool.run("exec", "print('stopped')") == "stopped\n"
    assert tool.rig.state == State.RUNNING.value


def repl(tool: Mpremote) -> None:
    import pty  # not to be had on Windows

    person, program = pty.openpty()
    command = [*tool.command, "connect", tool.rig.port(tool.way), "repl"]
    process = subprocess.Popen(command, stdin=program, stdout=program, stderr=program)
    try:
        seen = _read_until(person, b"Use Ctrl-] or Ctrl-x to exit this shell")
        os.write(person, b"\r")
        seen = _read_until(person, b">>> ")
        os.write(person, b"6 * 7\r")
        seen = _read_until(person, b"\r\n42\r\n")
        os.write(person, CTRL_X)
        assert process.wait(TIMEOUT_S) == 0, seen
    finally:
        process.kill()
        process.wait()
        os.close(program)
        os.close(person)


def _read_until(terminal: int, text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        ready, _, _ = select.select([terminal], [], [], TIMEOUT_S)
        assert ready, f"{text!r} did not come after {seen!r}"
        seen += os.read(terminal, 4096)
    return seen


COMMANDS: list[Callable[[Mpremote], None]] = [
    exec_and_eval, exec_of_what_exits, exec_that_prints_much, exec_broken_off, run, run_of_what_fails,
    run_of_a_long_script, no_follow, fs_cp_and_sha256sum, fs_mkdir_touch_ls_and_rm, fs_cp_of_a_folder_and_back, fs_cat, df,
    mount, mount_with_modules_that_import_each_other, mount_written_to_from_the_board, mip_from_a_folder,
    mip_into_another_folder, bootloader_which_this_chip_has_none_of, rtc, sleep_and_disconnect, soft_reset_and_resume,
    reset_starts_main_and_exec_stops_it, repl,
]  # fmt: skip
