"""Every command of the oldest and the newest esptool and mpremote that are allowed, over RFC 2217 and over the pty.

``python -m tests.virtual.tool_matrix`` makes a virtual environment for each release (from the package index, with pip),
runs everything, and prints the table of ``docs/virtual-board.md``: seconds, or what failed. Exit code 1 if anything did.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.virtual import esptool_commands, mpremote_commands
from tests.virtual.esptool_commands import Esptool
from tests.virtual.mpremote_commands import Mpremote
from tests.virtual.tool_rig import RFC2217, WAYS, rig_in, title

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RELEASES = {"esptool": ("esptool==5.4.0", "esptool<6"), "mpremote": ("mpremote==1.25.0", "mpremote<2")}
TRIED: dict[str, tuple[type[Any], list[Callable[[Any], None]], bytes]] = {
    "esptool": (Esptool, esptool_commands.COMMANDS, b""),
    "mpremote": (Mpremote, mpremote_commands.COMMANDS, mpremote_commands.IMAGE),
}


NEEDS_A_PATH = {
    mpremote_commands.repl
}  # it waits for a file descriptor, which pyserial's RFC 2217 port has none of


@dataclass(frozen=True)
class Release:
    """A tool in an environment of its own, and the version that it says it has."""

    tool: str
    command: list[str]
    version: str


@dataclass(frozen=True)
class Try:
    """How one command went: seconds, or the end of what was seen when it failed; or that the tool cannot try it."""

    took_s: float
    failure: str | None
    possible: bool = True

    def __str__(self) -> str:
        if not self.possible:
            return "-"
        return f"{self.took_s:.1f} s" if self.failure is None else "failed"


def install(tool: str, requirement: str, folder: Path) -> Release:
    """Make the environment of a release; one that is there already is taken as it is."""
    place = folder / requirement.replace("==", "-").replace("<", "-below-")
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", requirement], check=True)
    show = f"from importlib.metadata import version; print(version({tool!r}))"
    version = subprocess.run([str(python), "-c", show], check=True, capture_output=True, text=True)
    return Release(tool, [str(python), "-m", tool], version.stdout.strip())


def attempt(release: Release, command: Callable[[Any], None], way: str) -> Try:
    """Run one command on a board of its own."""
    if way == RFC2217 and command in NEEDS_A_PATH:
        return Try(0, None, possible=False)
    tool, _, image = TRIED[release.tool]
    began = time.monotonic()
    failure = None
    with tempfile.TemporaryDirectory() as folder, rig_in(Path(folder), image=image) as rig:
        try:
            command(tool(release.command, rig, way))
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failure = str(error)[-2000:]
        took_s = time.monotonic() - began
    return Try(took_s, failure)


def table(tool: str, releases: Sequence[Release], pool: ThreadPoolExecutor) -> tuple[list[str], list[str]]:
    """The lines of a tool's table, and its failures."""
    columns = [(release, way) for release in releases for way in WAYS]
    heads = [f"{release.version}, {way}" for release, way in columns]
    commands = TRIED[tool][1]
    waiting = [
        [pool.submit(attempt, release, command, way) for release, way in columns] for command in commands
    ]
    lines = [f"| {tool} | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    failures = []
    for command, row in zip(commands, waiting, strict=True):
        tries = [one.result() for one in row]
        lines.append(f"| {title(command)} | {' | '.join(map(str, tries))} |")
        failures += [
            f"{tool} {head}, {title(command)}: {one.failure}"
            for head, one in zip(heads, tries, strict=True)
            if one.failure is not None
        ]
    return lines, failures


def main() -> int:
    """Try everything; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "tool-matrix")
    parser.add_argument("--at-once", type=int, default=8, help="how many tools run at the same time")
    options = parser.parse_args()
    failures = []
    with ThreadPoolExecutor(options.at_once) as pool:
        for tool, requirements in RELEASES.items():
            releases = [install(tool, requirement, options.environments) for requirement in requirements]
            lines, failed = table(tool, releases, pool)
            print("\n".join(lines), end="\n\n", flush=True)
            failures += failed
    print("\n\n".join(failures), file=sys.stderr)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
