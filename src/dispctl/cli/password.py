"""How a command is given a password: standard input, an environment variable or a prompt; never an argument."""

import os
import sys

from dispctl.cli.console import Console
from dispctl.errors import UsageError

LONGEST_LINE = 4096
HINT = "Give it with --password-stdin or --password-env NAME."


def read_password(
    console: Console, *, from_stdin: bool, from_variable: str | None, twice: bool = False
) -> str:
    """The password; a prompt asks `twice` for a new one. Raises `UsageError` where there is none."""
    if from_stdin and from_variable is not None:
        raise UsageError("--password-stdin and --password-env cannot both be given.")
    if from_stdin:
        return _required(first_line().rstrip("\r\n"), "Standard input holds no password.")
    if from_variable is not None:
        return _required(os.environ.get(from_variable, ""), f"The variable {from_variable} is not set.")
    password = console.ask("Password", hint=HINT, hidden=True)
    if twice and console.ask("Password again", hint=HINT, hidden=True) != password:
        raise UsageError("The two passwords differ.", hint="Nothing was done.")
    return password


def first_line() -> str:
    """The line on standard input that holds a password, with its end; "" where there is none. Raises `UsageError`."""
    try:
        line = sys.stdin.readline(LONGEST_LINE + 1)
    except UnicodeDecodeError:  # its message would quote the password
        raise UsageError("The password on standard input is not UTF-8.") from None
    if len(line) > LONGEST_LINE:
        raise UsageError(f"The password on standard input has more than {LONGEST_LINE} characters.")
    return line


def _required(password: str, otherwise: str) -> str:
    if not password:
        raise UsageError(otherwise, hint=HINT)
    return password
