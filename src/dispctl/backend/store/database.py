"""The engine and its transactions; this module and the two it chooses between know which database it is."""

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType

from sqlalchemy import URL, Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from dispctl.backend.refusals import StoreBusyError
from dispctl.backend.store import sqlite
from dispctl.backend.store.changes import Carrier, Told, WithinProcess, noted
from dispctl.backend.store.errors import MissingDriverError, UnusableDatabaseError
from dispctl.backend.store.upgrade import upgrade

logger = logging.getLogger(__name__)


class Database:
    """One database. `read` and `write` give a session each; a session belongs to one thread."""

    def __init__(self, url: str) -> None:
        """Open the database at an SQLAlchemy URL and bring it up to date.

        ``sqlite:///FILE`` or ``postgresql+psycopg://USER@HOST/NAME``. Raises `UnusableDatabaseError`.
        """
        self.url = parse_url(url)
        self._carrier: Carrier = WithinProcess()
        if self.is_sqlite:
            self._engine = sqlite.open_engine(self.url)
            reading = self._engine
        else:
            postgresql = _postgresql()
            self._carrier = postgresql.Notifications(self.url)
            self._engine = postgresql.open_engine(self.url)
            reading = self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._writing = self._engine.execution_options(writes=True)
        self._readers = sessionmaker(reading, expire_on_commit=False)
        self._writers = sessionmaker(self._writing, expire_on_commit=False)
        self._writer = threading.Lock()
        self._bring_up_to_date()

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine, which one process serves."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with _busy_as_refusal(), self._readers() as session:
            yield session

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Session]:
        """A session whose changes are kept together at the end of the block, or not at all when it raises.

        A power cut may undo the last changes that are not `durable`: signs of life, which come again by themselves.
        """
        with _busy_as_refusal(), self._turn():
            with self._writers.begin() as session:
                self._set_durability(session, durable=durable)
                yield session
                changes = noted(session)
                self._carrier.send(session, changes)
            self._carrier.sent(changes)

    def follow(self, told: Told) -> None:
        """Have `told` called, from any thread, with every change that is committed, by other processes too."""
        self._carrier.follow(told)

    def check(self) -> None:
        """Raise `StoreBusyError` when the database does not answer."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every connection."""
        self._carrier.close()
        self._engine.dispose()

    def _set_durability(self, session: Session, *, durable: bool) -> None:
        if self.is_sqlite:
            session.connection(execution_options={"durable": durable})
        elif not durable:
            session.execute(text("SET LOCAL synchronous_commit = off"))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Have this process's writers wait in a queue where only one can write: SQLite has them look again and again."""
        if not self.is_sqlite:
            yield
            return
        if not self._writer.acquire(timeout=sqlite.BUSY_TIMEOUT_MS / 1000):
            raise StoreBusyError("The database did not answer; try again.")
        try:
            yield
        finally:
            self._writer.release()

    def _bring_up_to_date(self) -> None:
        try:
            with self._upgrading() as connection:
                upgrade(connection)
        except DatabaseError as error:
            self._engine.dispose()
            raise UnusableDatabaseError(
                f"The database {self.url} cannot be used: {_first_line(error)}."
            ) from error
        except UnusableDatabaseError:
            self._engine.dispose()
            raise

    def _upgrading(self) -> AbstractContextManager[Connection]:
        if self.is_sqlite:
            return sqlite.without_foreign_keys(self._writing)
        return self._locked_for_upgrade()

    @contextmanager
    def _locked_for_upgrade(self) -> Iterator[Connection]:
        with self._writing.begin() as connection:
            _postgresql().lock_for_upgrade(connection)
            yield connection


def _first_line(error: DatabaseError) -> str:
    return str(error.orig).partition("\n")[0].rstrip(".")


def parse_url(url: str) -> URL:
    """The parts of a database's URL; raises `UnusableDatabaseError` when it names no database that is known here."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # What was given is not repeated: it may hold a password.
        raise UnusableDatabaseError(
            "That is not a database URL: it has to be sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."
        ) from error
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise UnusableDatabaseError(
            "The database has to be sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."
        )
    return parsed


def _postgresql() -> ModuleType:
    """The module for PostgreSQL; raises `MissingDriverError` where its driver is not installed."""
    try:
        from dispctl.backend.store import postgresql
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "psycopg":
            raise
        raise MissingDriverError("The driver for PostgreSQL is not installed.") from error
    return postgresql


@contextmanager
def _busy_as_refusal() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        logger.warning("The database failed: %s", error)
        raise StoreBusyError("The database did not answer; try again.") from error
