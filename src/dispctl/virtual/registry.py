"""Where running virtual boards are found by name: one JSON file each in a directory; knows nothing else of them."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A running board: its process, its cable as a pyserial name, its control address ``HOST:PORT``, its flash file.

    `mac` is written with colons; `pty` is the path of its pseudo-terminal, None where it has none.
    """

    name: str
    pid: int
    cable: str
    control: str
    flash: str
    mac: str
    pty: str | None = None


@contextlib.contextmanager
def registered(directory: Path, entry: Entry) -> Iterator[None]:
    """Have `entry` found in `directory` while the block runs."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{entry.name}.json"
    new = directory / f".{entry.name}.{entry.pid}.new"
    new.write_text(json.dumps(asdict(entry)))
    new.replace(path)
    try:
        yield
    finally:
        if _pid_in(path) == entry.pid:
            path.unlink(missing_ok=True)


def running(directory: Path) -> list[Entry]:
    """The boards registered in `directory` whose process is alive, by name."""
    found = []
    for path in sorted(directory.glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):  # removed meanwhile, or not one of ours
            entry = Entry(**json.loads(path.read_text()))
            if _is_alive(entry.pid):
                found.append(entry)
    return found


def _pid_in(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError, KeyError):
        return int(json.loads(path.read_text())["pid"])
    return None


def _is_alive(pid: int) -> bool:
    if os.name == "nt":  # os.kill would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
