"""The engine and its transactions; the only place that knows which database it is."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from dispctl.backend.refusals import StoreBusyError
from dispctl.backend.store.tables import Base

logger = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 15_000
# As many as the threads that serve requests (AnyIO's limit), so that none waits for a connection.
CONNECTIONS = 40


class UnusableDatabaseError(Exception):
    """The database's URL cannot be used, or the database cannot be opened; the text says why."""


class Database:
    """One database. `read` and `write` give a session each; a session belongs to one thread."""

    def __init__(self, url: str) -> None:
        """Open the database at an SQLAlchemy URL (``sqlite:///FILE``) and make the tables that are missing.

        Raises `UnusableDatabaseError`.
        """
        _make_private(database_file(url))
        self._engine = create_engine(url, pool_size=CONNECTIONS, max_overflow=0)
        _set_up_sqlite(self._engine)
        self._readers = sessionmaker(self._engine, expire_on_commit=False)
        self._writers = sessionmaker(self._engine.execution_options(writes=True), expire_on_commit=False)
        try:
            with self._engine.execution_options(writes=True).begin() as connection:
                Base.metadata.create_all(connection)
        except DatabaseError as error:
            self._engine.dispose()
            raise UnusableDatabaseError(f"The database {url} cannot be used: {error.orig}.") from error

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with _busy_as_refusal(), self._readers() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are kept together at the end of the block, or not at all when it raises."""
        with _busy_as_refusal(), self._writers.begin() as session:
            yield session

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def database_file(url: str) -> Path:
    """The file that an SQLite URL names; raises `UnusableDatabaseError` when it names none."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UnusableDatabaseError(f"{url!r} is not a database URL.") from error
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise UnusableDatabaseError("The database has to be an SQLite file (sqlite:///FILE).")
    return Path(parsed.database)


def _make_private(file: Path) -> None:
    """Have the file there before SQLite makes it readable for everybody: it holds hashes of passwords and tokens."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        raise UnusableDatabaseError(f"The database {file} cannot be written: {error.strerror}.") from error


@contextmanager
def _busy_as_refusal() -> Iterator[None]:
    try:
        yield
    except (OperationalError, PoolTimeoutError) as error:
        logger.warning("The database failed: %s", error)
        raise StoreBusyError("The database did not answer; try again.") from error


def _set_up_sqlite(engine: Engine) -> None:
    """Make transactions what they say they are.

    Python's driver begins them late and on its own; here they begin with the first statement, writing ones with the
    write lock (``BEGIN IMMEDIATE``), so that none of them has to be undone half-way because another wrote first.
    ``synchronous=FULL``: a board throws its log away when its report is answered, so the answer must outlive a power cut.
    """

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
