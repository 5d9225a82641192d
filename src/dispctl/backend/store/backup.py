"""The whole database as one file, and back; the file is an SQLite database, whatever it was made from.

So a backup of either kind can be restored to either: that is how a workshop that grows moves to PostgreSQL.
"""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispctl.backend.store.database import Database
from dispctl.backend.store.errors import UnusableDatabaseError
from dispctl.backend.store.tables import Base, Operator

ROWS_AT_ONCE = 1000


class BackupError(UnusableDatabaseError):
    """The backup cannot be made, or cannot be restored there; the text says why in one sentence."""


def back_up(database: Database, file: Path) -> None:
    """Write one state of the database to a new file (mode 0600), whole or not at all; the backend may be running.

    Raises `BackupError`.
    """
    if file.exists():
        raise BackupError(f"{file} is there already.")
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
        os.close(descriptor)
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}.") from error
    draft = Path(name)
    try:
        if database.is_sqlite:
            _copy_file(database, draft)
        else:
            with closing(Database(f"sqlite:///{draft}")) as copy:
                _copy_rows(database, copy)
        _make_single_file(draft)
        draft.replace(file)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def restore(file: Path, database: Database) -> None:
    """Fill an empty database with what a backup holds; a backup of an earlier version is brought up to date.

    All of it is one transaction. Raises `BackupError`, and `UnusableDatabaseError` when the file is no backup.
    """
    if not file.is_file():
        raise BackupError(f"There is no backup {file}.")
    with database.read() as session:
        if session.query(Operator.id).first() is not None:
            raise BackupError("The database to restore to is not empty.")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "backup.sqlite3"
        shutil.copyfile(file, copy)
        with closing(Database(f"sqlite:///{copy}")) as backup:
            _copy_rows(backup, database)


def _copy_file(database: Database, draft: Path) -> None:
    """By SQLite's own means: pages that others change meanwhile are copied again."""
    with database.read() as session, closing(sqlite3.connect(draft)) as copy:
        source: Any = session.connection().connection.driver_connection
        source.backup(copy)


def _make_single_file(draft: Path) -> None:
    """Leave the journal that would lie beside it."""
    with closing(sqlite3.connect(draft)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _copy_rows(source: Database, target: Database) -> None:
    with source.read() as reading, target.write() as writing:
        for table in Base.metadata.sorted_tables:
            rows = reading.execute(table.select().execution_options(yield_per=ROWS_AT_ONCE)).mappings()
            for some in rows.partitions():
                writing.execute(table.insert(), [dict(row) for row in some])
        last_ids = _last_ids_of_sqlite(reading) if source.is_sqlite else _last_ids_of_postgresql(reading)
        if target.is_sqlite:
            _set_last_ids_of_sqlite(writing, last_ids)
        else:
            _set_last_ids_of_postgresql(writing, last_ids)


# Ids are not used again, not even those of rows that are gone: boards remember them.


def _last_ids_of_sqlite(session: Session) -> dict[str, int]:
    return {row[0]: row[1] for row in session.execute(text("SELECT name, seq FROM sqlite_sequence"))}


def _set_last_ids_of_sqlite(session: Session, last_ids: dict[str, int]) -> None:
    counted = [
        table.name
        for table in Base.metadata.sorted_tables
        if table.dialect_options["sqlite"]["autoincrement"]
    ]
    for name in counted:
        session.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
        values = {"name": name, "seq": last_ids.get(name, 0)}
        session.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), values)


def _last_ids_of_postgresql(session: Session) -> dict[str, int]:
    rows = session.execute(text(f"SELECT relname, {_LAST_VALUE} FROM {_SERIALS}"))  # noqa: S608 - words of our own
    return {row[0]: row[1] for row in rows if row[1] is not None}


def _set_last_ids_of_postgresql(session: Session, last_ids: dict[str, int]) -> None:
    for table in Base.metadata.sorted_tables:
        if "id" in table.c and table.c.id.autoincrement and table.c.id.type.python_type is int:
            largest = session.execute(text(f"SELECT max(id) FROM {table.name}")).scalar()  # noqa: S608
            last = max(largest or 0, last_ids.get(table.name, 0))
            session.execute(
                text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :next, false)"),
                {"table": table.name, "next": last + 1},
            )


_SERIALS = (
    "pg_sequence JOIN pg_depend ON pg_depend.objid = seqrelid AND deptype = 'a' "
    "JOIN pg_class ON pg_class.oid = refobjid"
)
_LAST_VALUE = "pg_sequence_last_value(seqrelid)"
