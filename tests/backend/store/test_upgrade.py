"""Databases of earlier versions, with what is in them, become what this version needs."""

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from dispctl.backend.security import digest
from dispctl.backend.store import fleet, jobs, operators, reports
from dispctl.backend.store.database import Database
from dispctl.backend.store.errors import NewerDatabaseError, UnusableDatabaseError
from dispctl.backend.store.tables import Base, Device
from dispctl.backend.store.upgrade import FIRST, upgrade
from tests.backend.conftest import ON_BOTH

if TYPE_CHECKING:
    from tests.backend import postgres

WHEN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
TOKEN = "the board's token"
# One operator in the middle of cooking, as the first version wrote it down.
KITCHEN = (
    "INSERT INTO operators VALUES (1, 'Ana', 'ana', '$argon2id$', :when)",
    "INSERT INTO operator_sessions VALUES (:session, 1, :when)",
    "INSERT INTO attempts VALUES ('claim 192.0.2.7', 3, :when)",
    "INSERT INTO jars VALUES (1, 1, 'Sal', 2.0, 100000000, :when)",
    "INSERT INTO motors VALUES (1, 75, 500, 300, 300)",
    "INSERT INTO recipes VALUES (9, 1, 'Frango', 4)",
    "INSERT INTO ingredients (id, recipe_id, \"order\", spice, quantity_ug) VALUES (1, 9, 1, 'Sal', 10000000)",
    "INSERT INTO devices VALUES (1, 1, 'esp-a0b1', :token, '0.1.0', '', :when, '{}')",
    "INSERT INTO claims VALUES (1, 1, '123456', :when, :when)",
    "INSERT INTO jobs VALUES (6, 1, 9, 4, 'done', 1, :when, :when, :when, NULL)",
    "INSERT INTO jobs VALUES (7, 1, 9, 4, 'queued', NULL, :when, NULL, NULL, NULL)",
    (
        'INSERT INTO job_items (id, job_id, "order", jar, spice, quantity_ug, seconds, status)'
        " VALUES (21, 7, 1, 1, 'Sal', 10000000, 5.0, 'queued')"
    ),
    "INSERT INTO job_reports VALUES (6, 1, 'complete', 'f', 1, 0, '[]', :true, 'Job finished.', :when)",
    "INSERT INTO set_aside_reports VALUES (1, 6, 1, 'g', 1, 0, '[]', :when)",
    "INSERT INTO stock_taken VALUES (6, 1, 10000000, :when)",
)

pytestmark = ON_BOTH
MakeOld = Callable[..., str]


@pytest.fixture
def bare_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without a table."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'old.sqlite3'}"
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.new_database() as url:
        yield url


@pytest.fixture
def connection(bare_url: str) -> Iterator[Connection]:
    engine = create_engine(bare_url)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def fill(connection: Connection) -> None:
    """Write `KITCHEN` down."""
    for statement in KITCHEN:
        values = {"when": WHEN, "session": digest("session"), "token": digest(TOKEN), "true": True}
        named = {name: value for name, value in values.items() if f":{name}" in statement}
        connection.execute(text(statement), named)


def rows(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one()  # noqa: S608
        for table in Base.metadata.sorted_tables
    }


def test_the_migrations_make_the_tables_that_the_program_uses(connection: Connection) -> None:
    upgrade(connection)

    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    assert compare_metadata(context, Base.metadata) == []


def test_what_was_there_is_there_after_the_upgrade(connection: Connection) -> None:
    upgrade(connection, FIRST)
    fill(connection)
    before = rows(connection)

    upgrade(connection)

    assert rows(connection) == before
    assert set(before.values()) == {1, 2}


@pytest.mark.parametrize("stamped", [True, False])
def test_a_backend_goes_on_where_the_first_version_stopped(bare_url: str, stamped: bool) -> None:
    engine = create_engine(bare_url)
    with engine.begin() as connection:
        upgrade(connection, FIRST)
        fill(connection)
        if not stamped:  # as the versions before there were migrations left it
            connection.execute(text("DROP TABLE alembic_version"))
    engine.dispose()

    database = Database(bare_url)
    with database.write() as session:
        assert operators.signed_in(session, "session", WHEN.replace(year=2029)).name == "Ana"
        (board,) = fleet.look_up(session, {digest(TOKEN)}).values()
        job = jobs.take(session, board, WHEN)
        assert job is not None
        assert (job.id, [item.spice for item in job.items]) == (7, ["Sal"])
        reports.finish_by_status(session, board, 7, WHEN)
    with database.read() as session:
        assert jobs.active(session, 1) is None
        assert session.get(Device, 1) is not None
    database.close()


def test_an_upgrade_runs_once_however_often_it_is_asked_for(bare_url: str) -> None:
    for _ in range(2):
        Database(bare_url).close()


def test_a_newer_versions_database_is_left_alone(bare_url: str) -> None:
    Database(bare_url).close()
    engine = create_engine(bare_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(NewerDatabaseError, match="newer version"):
        Database(bare_url)


def test_an_upgrade_that_fails_changes_nothing(bare_url: str) -> None:
    engine = create_engine(bare_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE jars (a INTEGER)"))
    with pytest.raises(UnusableDatabaseError):
        Database(bare_url)

    with engine.begin() as connection:
        connection.execute(text("DROP TABLE jars"))
    engine.dispose()
    Database(bare_url).close()
