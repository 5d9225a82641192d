"""Runs the ``console`` blocks of a page as a reader would, on virtual parts.

A command runs as it stands: in this process, so that a page takes seconds, or in a shell where it uses one. What a reader
does beyond typing is here: leaving a server running in a terminal of its own, answering what is asked, ending with Ctrl-C
what does not end by itself.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from dispctl.cli import console
from dispctl.cli.app import app
from tests.end_to_end.processes import Running
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

DOCS = Path(__file__).resolve().parents[2] / "docs"
DEADLINE_S = 60.0
OPERATOR_PASSWORD, WIFI_PASSWORD = "uma-senha-longa", "tempero123"

ELSEWHERE = re.compile(
    r"python3 -m venv|(\.venv/bin/)?pip install|\. \.venv|dispctl demo|python (-m )?tests\b"
)
"""Not run here: installing the built package, and the demo, are tests of their own; measurements take a quiet machine."""

SERVERS = {
    "dispctl backend serve": ["--json", "--port", "0"],
    "dispctl sim run": ["--json", "--rfc2217-port", "0", "--no-pacing"],
}
"""What a page leaves running, and what makes it fit beside other tests: any free port, and a fast line."""

ANSWERS = {
    "dispctl login": [("Password:", OPERATOR_PASSWORD), ("Password again:", OPERATOR_PASSWORD)],
    "dispctl provision --ssid Cozinha": [("assword", WIFI_PASSWORD)],
    "dispctl provision --port sim: --ssid Cozinha": [("assword", WIFI_PASSWORD)],
    "dispctl jars calibrate": [("[y/N]", "y"), ("Grams in the dish", "10")],
}
SHELL_SIGNS = {"|", "||", "&&", ">"}
ENDLESS = {"dispctl monitor --port sim:": "invalid header"}
"""What a reader leaves with Ctrl-C once this is on the screen."""


def commands(page: Path) -> list[str]:
    """The lines of the page's ``console`` blocks; of a block with prompts, those behind ``$``."""
    found: list[str] = []
    for block in re.findall(
        r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        lines = block.splitlines()
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        found += prompted or lines
    return [command for command in found if not ELSEWHERE.match(command)]


def first_block(page: Path, language: str) -> str:
    """What the page's first block in this language holds."""
    (block,) = re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )[:1]
    return str(block)


@contextmanager
def chdir(folder: Path) -> Iterator[None]:
    """Work in `folder` while the block runs (`contextlib.chdir` of Python 3.11)."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@dataclass
class Reader:
    """Somebody with an empty folder who types what a page says; a context manager that ends what was left running."""

    folder: Path
    speed: int = 10
    environment: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        places = ("DISPCTL_SIM_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
        self.environment = {
            **{place: str(self.folder / "home" / place) for place in places},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
            "COLUMNS": "120",
            "OPERATOR_PASSWORD": OPERATOR_PASSWORD,
            "WIFI_PASSWORD": WIFI_PASSWORD,
            **self.environment,
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def follow(self, page: Path) -> None:
        """Type every command of the page; fails with the first that does not end well."""
        for command in commands(page):
            self.type(command)

    def follow_until(self, page: Path, last: str) -> None:
        """Type the commands of the page as far as the first that begins with `last`."""
        for command in commands(page):
            self.type(command)
            if command.startswith(last):
                return

    def type(self, command: str) -> None:
        """Type one command, and do what it asks for."""
        for beginning, more in SERVERS.items():
            if command.startswith(beginning):
                self._leave_running(command.removesuffix("&").strip(), more)
                return
        for beginning, answers in ANSWERS.items():
            if command.startswith(beginning) and "--password-" not in command:
                self._answer(command, answers)
                return
        if command in ENDLESS:
            self._watch(command, ENDLESS[command])
            return
        self._run(command)

    def _run(self, command: str) -> None:
        words = shlex.split(command)
        if words[0] != "dispctl" or SHELL_SIGNS & set(words):
            self._run_in_shell(command)
            return
        console._active = None  # a process of its own has no console of an earlier command
        runner = CliRunner()
        with chdir(self.folder):
            ended = runner.invoke(
                app, words[1:], env=self.environment, catch_exceptions=False, prog_name="dispctl"
            )
        assert ended.exit_code == 0, f"$ {command}\n{ended.output}\nexit {ended.exit_code}"

    def _run_in_shell(self, command: str) -> None:
        ended = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"$ {command}\n{ended.stdout}\n{ended.stderr}\nexit {ended.returncode}"
        assert "Traceback" not in ended.stderr, f"$ {command}\n{ended.stderr}"

    def _leave_running(self, command: str, more: list[str]) -> None:
        if "sim run" in command and "--speed" not in command:
            more = [*more, "--speed", str(self.speed)]
        words = [sys.executable, "-m", "dispctl", *shlex.split(command)[1:], *more]
        server = Running(words, {**os.environ, **self.environment}, folder=self.folder)
        self._stack.enter_context(server)
        ready = json.loads(server.lines[server.wait_for("{")])
        if "backend" in ready:
            self.environment["DISPCTL_BACKEND"] = ready["backend"]

    def _answer(self, command: str, answers: list[tuple[str, str]]) -> None:
        terminal = Terminal(tuple(shlex.split(command)[1:]), self.environment, folder=self.folder)
        try:
            for question, answer in answers:
                terminal.wait_for(question)
                terminal.screen = ""
                press = terminal.type_hidden if "assword" in question else terminal.type
                press(f"{answer}\n")
            assert terminal.exit_code() == 0, f"$ {command}\n{terminal.screen}"
        finally:
            terminal.close()

    def _watch(self, command: str, words: str) -> None:
        with Running(
            [sys.executable, "-m", "dispctl", *shlex.split(command)[1:]],
            {**os.environ, **self.environment},
            folder=self.folder,
        ) as watcher:
            watcher.wait_for(words)
