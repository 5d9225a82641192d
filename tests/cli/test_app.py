"""The table of commands, and how little is imported before one is chosen."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from typing import Any

import pytest
import typer

import dispctl.cli
from dispctl.cli.app import SECTIONS, app

DISPCTL = "from dispctl.__main__ import main; main()"
COMMANDS = {name for section in SECTIONS.values() for name in section}
SHOWN_ALONE = 25
"""So many modules more than Typer itself may be imported for what a shell or a newcomer asks first."""

ASKED_FIRST = {
    "help": (["--help"], {}),
    "version": (["--version"], {}),
    "bash completion": (
        [],
        {"_DISPCTL_COMPLETE": "complete_bash", "COMP_WORDS": "dispctl s", "COMP_CWORD": "1"},
    ),
    "zsh completion": ([], {"_DISPCTL_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "dispctl s"}),
}


def imported(program: str, *arguments: str, **environment: str) -> set[str]:
    """Names of the modules that are there when a Python process with this program ends."""
    watched = "import atexit, sys\natexit.register(lambda: print(*(name for name, module in sys.modules.items() if module), sep='\\n', file=sys.stderr))\n"
    ended = subprocess.run(
        [sys.executable, "-c", watched + program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(ended.stderr.split())


@pytest.mark.parametrize(("arguments", "environment"), ASKED_FIRST.values(), ids=ASKED_FIRST)
def test_what_is_asked_first_imports_little_beyond_typer(
    arguments: list[str], environment: dict[str, str]
) -> None:
    beyond = imported(DISPCTL, *arguments, **environment) - imported("import typer")
    assert len(beyond) <= SHOWN_ALONE, sorted(beyond)
    assert not {
        name for name in beyond if name.startswith(("rich", "pydantic", "httpx", "serial", "esptool"))
    }
    assert not {name for name in beyond if name.removeprefix("dispctl.cli.").replace("_", "-") in COMMANDS}


def test_a_commands_help_imports_that_command_alone() -> None:
    names = imported(DISPCTL, "send-job", "--help")
    assert "dispctl.cli.send_job" in names
    assert not names & {"dispctl.cli.monitor", "dispctl.cli.flash", "dispctl.operations", "rich"}


def test_every_command_of_the_table_can_be_run() -> None:
    root: Any = typer.main.get_command(app)
    for name in COMMANDS:
        command = root.load(name)
        assert command.name == name
        assert command.help, f"{name} has no help"


def test_every_module_named_after_a_command_is_in_the_table() -> None:
    modules = {module.name.replace("_", "-") for module in pkgutil.iter_modules(dispctl.cli.__path__)}
    assert modules >= COMMANDS
