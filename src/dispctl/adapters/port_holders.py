"""Which process holds a serial port or the far end of a network port; knows only Linux's /proc.

Elsewhere, and for processes of other users, nothing is known and the answers are empty.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
TCP_ESTABLISHED = "01"


@dataclass(frozen=True)
class Holder:
    """A process that has a port open."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command} (process {self.pid})"


def holders_of_device(path: str) -> list[Holder]:
    """Every other process that has the device at `path` (or what it links to) open."""
    return _holders_of({os.path.realpath(path)})


def holders_of_address(host: str, tcp_port: int) -> list[Holder]:
    """Every other process of this machine that is connected to ``host:tcp_port`` as a client; loopback only."""
    if host not in {"127.0.0.1", "localhost"}:
        return []
    inodes = _client_inodes(tcp_port)
    return _holders_of({f"socket:[{inode}]" for inode in inodes}) if inodes else []


def _holders_of(targets: set[str]) -> list[Holder]:
    own = os.getpid()
    pids = [pid for pid in _pids() if pid != own and any(link in targets for link in _links(pid))]
    return [Holder(pid, _command(pid)) for pid in pids]


def _pids() -> list[int]:
    with suppress(OSError):
        return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return []


def _links(pid: int) -> Iterator[str]:
    folder = PROC / str(pid) / "fd"
    with suppress(OSError):  # ended meanwhile, or another user's
        for link in folder.iterdir():
            with suppress(OSError):
                yield str(link.readlink())


def _command(pid: int) -> str:
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "a process that has ended"
    names = [Path(os.fsdecode(word)).name for word in words if word]
    if not names:
        return "a process without a name"
    is_interpreter = names[0].startswith("python") and len(names) > 1
    return names[1] if is_interpreter and not names[1].startswith("-") else names[0]


def _client_inodes(tcp_port: int) -> list[str]:
    """Inodes of established sockets whose far end is `tcp_port` of a loopback address; format: proc_net_tcp(5)."""
    found = []
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            rows = (PROC / "net" / table).read_text().splitlines()[1:]
            for row in rows:
                columns = row.split()
                far_port = int(columns[2].rsplit(":", 1)[1], 16)
                if far_port == tcp_port and columns[3] == TCP_ESTABLISHED:
                    found.append(columns[9])
    return found
