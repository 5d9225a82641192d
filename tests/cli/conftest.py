"""The commands run in this process against a backend in its own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner

from dispctl.cli import console
from dispctl.cli.app import app
from tests.backend.actors import PASSWORD, Board, Cook
from tests.end_to_end.processes import Dispctl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

_numbers = count()


@dataclass
class Shell:
    """An operator's shell: every command as `dispctl` would run it, without a terminal."""

    folder: Path
    backend: str
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "") -> Result:
        """Run a command; an unexpected exception is raised here."""
        environment = {
            "DISPCTL_STATE_DIR": str(self.folder / "state"), "XDG_CONFIG_HOME": str(self.folder / "config"),
            "DISPCTL_BACKEND": self.backend, "COLUMNS": "110", **self.environment,
        }  # fmt: skip
        # A process of its own has no console of an earlier command.
        console._active = None
        return CliRunner().invoke(
            app, arguments, input=stdin, env=environment, catch_exceptions=False, prog_name="dispctl"
        )

    def session(self) -> Any:
        """The session's file, read."""
        (kept,) = (self.folder / "state").glob("*.session.json")
        return json.loads(kept.read_text())

    def client(self) -> httpx.Client:
        """The backend as a program of its own would reach it with the operator's session."""
        cookies = {"access_token": self.session()["access_token"]}
        return httpx.Client(base_url=self.backend, cookies=cookies, timeout=30)

    def done(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that has to succeed; returns its standard output."""
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 0, (arguments, result.exit_code, result.output)
        return str(result.stdout)

    def json(self, *arguments: str) -> Any:
        """Run a command that has to succeed; returns its JSON objects, a single one as itself."""
        lines = [json.loads(line) for line in self.done(*arguments, "--json").splitlines()]
        return lines[0] if len(lines) == 1 else lines

    def refused(self, code: int, *arguments: str, stdin: str = "") -> str:
        """Run a command that has to fail with `code`; returns its standard error, which is never a traceback."""
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == code, (arguments, result.exit_code, result.output)
        assert "Traceback" not in result.output
        return str(result.stderr)


@pytest.fixture(scope="session")
def backend_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the embedded backend keeps everything in."""
    return tmp_path_factory.mktemp("backend") / "b.db"


@pytest.fixture(scope="session")
def backend_url(backend_database: Path) -> Iterator[str]:
    """The embedded backend as its own command serves it."""
    arguments = ("backend", "serve", "--json", "--port", "0", "--database", f"sqlite:///{backend_database}")
    with Dispctl({"XDG_CONFIG_HOME": str(backend_database.parent)}).start(*arguments) as server:
        yield json.loads(server.lines[server.wait_for("{")])["backend"]


@pytest.fixture
def shell(tmp_path: Path, backend_url: str, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Nobody is logged in."""
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, backend_url)


@pytest.fixture
def operator(shell: Shell) -> Shell:
    """A new operator, logged in, with four jars of 100 g at 2 g/s."""
    name = f"op-{os.getpid()}-{next(_numbers)}"
    shell.done("login", name, "--register", "--password-stdin", stdin=PASSWORD)
    with shell.client() as client:
        Cook(client).set_up_jars()
    return shell


@pytest.fixture
def board(operator: Shell) -> Iterator[Board]:
    """A board of the operator's, online, that speaks HTTP only."""
    with operator.client() as client:
        claimed = Cook(client).claim_board(uid=f"esp-{os.getpid()}-{next(_numbers)}")
        assert claimed.heartbeat(fw_version="0.1.0", status={}).is_success
        yield claimed
