"""How a command is given a password: standard input, an environment variable or a prompt; never an argument."""

import os
import sys

from dispctl.cli.console import Console
from dispctl.errors import UsageError

HINT = "Give it with --password-stdin or --password-env NAME."


def read_password(
    console: Console, *, from_stdin: bool, from_variable: str | None, twice: bool = False
) -> str:
    """The password; a prompt asks `twice` for a new one. Raises `UsageError` where there is none."""
    if from_stdin and from_variable is not None:
        raise UsageError("--password-stdin and --password-env cannot both be given.")
    if from_stdin:
        return _required(sys.stdin.readline().rstrip("\r\n"), "Standard input holds no password.")
    if from_variable is not None:
        return _required(os.environ.get(from_variable, ""), f"The variable {from_variable} is not set.")
    password = console.ask("Password", hint=HINT, hidden=True)
    if twice and console.ask("Password again", hint=HINT, hidden=True) != password:
        raise UsageError("The two passwords differ.", hint="Nothing was done.")
    return password


def _required(password: str, otherwise: str) -> str:
    if not password:
        raise UsageError(otherwise, hint=HINT)
    return password
