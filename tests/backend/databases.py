"""A database of either kind, for whoever needs one outside of the backend's own tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.backend import postgres

KINDS = ("sqlite", "postgresql")


@contextmanager
def new(kind: str, folder: Path, *, durable: bool = False) -> Iterator[str]:
    """The URL of an empty database: a file in `folder`, or one in a PostgreSQL of its own (`durable`: as in earnest).

    Raises `postgres.NoPostgresError`.
    """
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'backend.sqlite3'}"
        return
    with postgres.running(durable=durable) as server, server.new_database() as url:
        yield url
