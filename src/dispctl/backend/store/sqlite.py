"""What is particular to SQLite: its file, its pragmas, when its transactions begin."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from dispctl.backend.store.errors import UnusableDatabaseError

BUSY_TIMEOUT_MS = 15_000
# As many as the threads that serve requests (AnyIO's limit), so that none waits for a connection.
CONNECTIONS = 40


def open_engine(url: URL) -> Engine:
    """The engine of an SQLite file, which is made when it is missing; raises `UnusableDatabaseError`."""
    _make_private(database_file(url))
    # Parameters hold hashes of passwords and tokens, and errors are logged.
    engine = create_engine(url, pool_size=CONNECTIONS, max_overflow=0, hide_parameters=True)
    _set_up(engine)
    return engine


def database_file(url: URL) -> Path:
    """The file that an SQLite URL names; raises `UnusableDatabaseError` when it names none."""
    if not url.database or url.database == ":memory:":
        raise UnusableDatabaseError("An SQLite database has to be a file (sqlite:///FILE).")
    return Path(url.database)


@contextmanager
def without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """A writing transaction in which tables can be made anew, as SQLite has them changed.

    With its foreign keys in force, dropping the old table would delete every row that points at it. They are checked
    again before anything is kept.
    """
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF").close()
        try:
            with connection.begin():
                yield connection
                _check_foreign_keys(connection)
        finally:
            driver.execute("PRAGMA foreign_keys=ON").close()


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise UnusableDatabaseError(f"A row of {broken[0]} points at nothing in {broken[2]}.")


def _make_private(file: Path) -> None:
    """Have the file there before SQLite makes it readable for everybody: it holds hashes of passwords and tokens."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        raise UnusableDatabaseError(f"The database {file} cannot be written: {error.strerror}.") from error


def _set_up(engine: Engine) -> None:
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
        options = connection.get_execution_options()
        if not options.get("writes", False):
            connection.exec_driver_sql("BEGIN")
            return
        # In WAL mode NORMAL leaves the last transactions to the operating system, FULL waits for the disk.
        connection.exec_driver_sql(
            f"PRAGMA synchronous={'FULL' if options.get('durable', True) else 'NORMAL'}"
        )
        connection.exec_driver_sql("BEGIN IMMEDIATE")
