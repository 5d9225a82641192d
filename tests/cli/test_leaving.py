"""How a command ends when Ctrl-C comes early, when nobody reads what it prints, and when the parser refuses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

USAGE, BACKEND, INTERRUPTED, NOBODY_READS = 2, 7, 130, 141
FULL_DISK = Path("/dev/full")
CTRL_C_AT_IMPORT = """
import signal, sys

module, sys.argv = sys.argv[1], ["dispctl", *sys.argv[2:]]

class Impatient:
    def find_spec(self, name, path, target=None):
        if name == module:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Impatient())
from dispctl.__main__ import main
main()
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user without files, without a session and without colours."""
    own = {"NO_COLOR": "1", "XDG_CONFIG_HOME": str(tmp_path), "DISPCTL_STATE_DIR": str(tmp_path)}
    return {**os.environ, **own}


@pytest.fixture
def unread() -> Iterator[int]:
    """The end of a pipe whose other end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A recording that is longer than what a pipe holds."""
    path = tmp_path / "recording.log"
    path.write_bytes(b"".join(b"[EXEC] line %d\r\n" % number for number in range(20_000)))
    return path


@pytest.fixture
def unattended(tmp_path: Path) -> Shell:
    """A shell whose commands fail before they need a backend."""
    return Shell(tmp_path, "http://127.0.0.1:9")


def run(
    environment: dict[str, str], *arguments: str, out: int = subprocess.PIPE, err: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run a command that nobody types to."""
    return subprocess.run(
        [sys.executable, "-m", "dispctl", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "module",
    ["typer", "dispctl.cli.app", "dispctl.cli.monitor", "rich.console", "dispctl.operations.monitor"],
)
def test_ctrl_c_while_modules_are_loaded(environment: dict[str, str], log: Path, module: str) -> None:
    command = [sys.executable, "-c", CTRL_C_AT_IMPORT, module, "monitor", "--replay", str(log)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (INTERRUPTED, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["jobs", "--help"],
        ["ports", "--json", "--quiet"],
        ["config", "show", "flash"],
    ],
    ids=" ".join,
)
def test_nobody_reads_the_result(environment: dict[str, str], unread: int, arguments: list[str]) -> None:
    ended = run(environment, *arguments, out=unread)
    assert (ended.returncode, ended.stderr) == (NOBODY_READS, "")


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_the_reader_of_a_log_goes_away(environment: dict[str, str], log: Path, extra: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "dispctl", "monitor", "--replay", str(log), *extra],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert b"line 0" in running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == NOBODY_READS


def test_nobody_reads_the_messages(environment: dict[str, str], unread: int, log: Path) -> None:
    refused = run(environment, "jobs", err=unread)
    assert (refused.returncode, refused.stdout) == (BACKEND, "")
    replayed = run(environment, "monitor", "--replay", str(log), "--until", "line 19999", err=unread)
    assert replayed.returncode == 0
    assert replayed.stdout.count("\n") == 20_000


@pytest.mark.skipif(not FULL_DISK.exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("arguments", [["--help"], ["config", "show", "flash"], ["jobs", "--json"]])
def test_the_result_cannot_be_written(environment: dict[str, str], arguments: list[str]) -> None:
    with FULL_DISK.open("wb") as out:
        ended = run(environment, *arguments, out=out.fileno())
    own_failure = arguments[0] == "jobs"  # nobody is logged in: that is told, and the disk does not hide it
    assert ended.returncode == (BACKEND if own_failure else USAGE)
    assert ("not logged in" if own_failure else "No space left on device") in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words", "help_of"),
    [
        (["jobs", "--json", "--foo"], "--foo", "dispctl jobs"),
        (["jobs", "--limit", "x", "--json"], "--limit", "dispctl jobs"),
        (["job", "show", "--json", "0"], "JOB", "dispctl job show"),
        (["nosuch", "--json"], "nosuch", "dispctl"),
        (["send-job", "--json", "a", "b"], "b", "dispctl send-job"),
    ],
)
def test_the_parsers_refusal_is_an_object_too(
    unattended: Shell, arguments: list[str], words: str, help_of: str
) -> None:
    refused = unattended.run(*arguments)
    assert refused.exit_code == USAGE
    (error,) = json.loads(refused.stdout).values()
    assert error["code"] == USAGE
    assert words in error["message"]
    assert error["hint"] == f"Try '{help_of} --help' for help."
    assert error["message"] in refused.stderr


def test_a_configuration_that_cannot_be_read_is_an_object_too(unattended: Shell) -> None:
    settings = unattended.folder / "config" / "dispctl" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("prot = 3\n")
    (error,) = json.loads(unattended.run("jobs", "--json").stdout).values()
    assert error["code"] == USAGE
    assert "prot" in error["message"]


def test_a_refusal_without_json_leaves_standard_output_empty(unattended: Shell) -> None:
    refused = unattended.run("jobs", "--foo")
    assert (refused.exit_code, refused.stdout) == (USAGE, "")
