"""Where a network's name and password come from: options, a file, the environment, or a question on a terminal."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from dispctl.adapters.given_file import read_given
from dispctl.cli.password import first_line
from dispctl.errors import BoardRefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dispctl.cli.console import Console
    from dispctl.operations.provision import Network, WifiCredentials

PASSWORD_HINT = "Give it with --password-stdin, --password-env NAME or --credentials FILE."  # noqa: S105 - a sentence
LARGEST_CREDENTIALS = 1 << 16
_STRENGTHS = ((-60, "▂▄▆█"), (-70, "▂▄▆ "), (-80, "▂▄  "))


def given_password(*, stdin: bool, variable: str | None) -> str | None:
    """The password from standard input (its first line) or the environment; None when neither was asked for."""
    if stdin and variable:
        raise UsageError("The password can come from one place only.", hint=PASSWORD_HINT)
    if stdin:
        return _first_line()
    if variable is None:
        return None
    if variable not in os.environ:
        raise UsageError(f"The environment has no variable {variable}.")
    return os.environ[variable]


def _first_line() -> str:
    line = first_line()
    if not line:
        raise UsageError("Standard input holds no password.", hint="For an open network give an empty line.")
    return line.rstrip("\r\n")


def read_credentials(path: Path) -> tuple[str | None, str | None]:
    """Name and password from a TOML or JSON file with the keys ``ssid`` and ``password``; None for a missing one."""
    content = read_given(path, what="a file of credentials", most=LARGEST_CREDENTIALS)
    try:
        text = content.decode()
    except UnicodeDecodeError:  # its message would quote the password
        raise UsageError(f"{path} cannot be read: it is not UTF-8.") from None
    document = _parse(path, text)
    values = document.get("ssid"), document.get("password")
    if not all(value is None or isinstance(value, str) for value in values):
        raise UsageError(f"In {path} the network's name and password must be texts.")
    return values


def _parse(path: Path, text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError:  # its message would quote the file, which holds a password
        raise UsageError(
            f"{path} is neither TOML nor JSON.",
            hint='It should read: ssid = "NAME" and password = "…", a line each.',
        ) from None
    return document if isinstance(document, dict) else {}


class WifiSource:
    """What the options say of the network; a question is asked only for what they leave open."""

    def __init__(self, ssid: str | None, file: Path | None, *, stdin: bool, variable: str | None) -> None:
        if file is not None and (stdin or variable):
            raise UsageError("The password can come from one place only.")
        self._ssid, self._password = ssid, given_password(stdin=stdin, variable=variable)
        if file is not None:
            file_ssid, self._password = read_credentials(file)
            self._ssid = ssid or file_ssid

    def credentials(self, console: Console, scan: Callable[[], list[Network]]) -> WifiCredentials:
        """Name and password of the network; `scan` finds networks to choose from, where none was named."""
        from dispctl.operations.provision import WifiCredentials

        chosen = ask_network(console, scan) if self._ssid is None else self._ssid
        if isinstance(chosen, str):
            if_empty, ssid, password = "empty: an open network", chosen, self._password
        else:
            if_empty, ssid, password = None, chosen.ssid, "" if chosen.is_open else self._password
        if password is None:
            question = f"Password of {ssid}"
            password = console.ask(question, hint=PASSWORD_HINT, hidden=True, if_empty=if_empty)
        return WifiCredentials(ssid, password)


def ask_network(console: Console, scan: Callable[[], list[Network]]) -> Network | str:
    """Let the operator choose among the networks that `scan` finds, or name one that was not seen.

    Raises UsageError where nobody can answer.
    """
    if not console.interactive:
        raise UsageError(
            "Which network? Nobody is there to choose one.", hint="Give its name with --ssid NAME."
        )
    console.message("The board looks for networks…")
    try:
        networks = scan()
    except BoardRefusedError as refusal:  # it pours, and will not interrupt that for a scan
        console.message(refusal.message)
        networks = []
    else:
        if not networks:
            console.message("It sees none; a hidden one can be given by its name.")
    for number, network in enumerate(networks, start=1):
        lock = "open" if network.is_open else ""
        console.message(f"  {number:2}  {_strength(network.rssi_dbm)}  {network.ssid}  {lock}")
    return _chosen(console, networks)


def _chosen(console: Console, networks: list[Network]) -> Network | str:
    """The answer: a network by its number or name, or the name of one that was not seen."""
    numbers = f"1-{len(networks)}" if len(networks) > 1 else "1"
    question = f"Network ({numbers}, or a name)" if networks else "Network's name"
    while True:
        answer = console.ask(question, hint="Give it with --ssid NAME.").strip()
        named = [network for network in networks if network.ssid == answer]
        if named:
            return named[0]
        if not (networks and answer.isascii() and answer.isdigit()):
            return answer
        if 1 <= int(answer) <= len(networks):
            return networks[int(answer) - 1]
        console.message(f"There is no network {answer}. One that is really called so: --ssid {answer}.")


def _strength(rssi_dbm: int) -> str:
    return next((bars for least, bars in _STRENGTHS if rssi_dbm >= least), "▂   ")
