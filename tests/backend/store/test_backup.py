"""Backups of either database, restored to either."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text

from dispctl.backend.store import backup, recipes
from dispctl.backend.store.database import Database
from dispctl.backend.store.errors import UnusableDatabaseError
from dispctl.backend.store.tables import Base
from dispctl.backend.store.upgrade import FIRST, upgrade
from tests.backend.actors import Board, Cook, accepted, entry, report
from tests.backend.conftest import ON_BOTH
from tests.backend.store.test_upgrade import fill

if TYPE_CHECKING:
    from tests.backend import postgres

pytestmark = ON_BOTH


def everything(database: Database) -> dict[str, list[str]]:
    """Every row of every table, as text, in order."""
    with database.read() as session:
        return {
            table.name: sorted(repr(tuple(row)) for row in session.execute(table.select()))
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def busy_kitchen(app: FastAPI, cook: Cook, board: Board) -> Database:
    """A database with something in every corner, and ids that were used and are gone."""
    job = cook.queue_job()
    accepted(board.next_job())
    accepted(board.complete(job["id"], report([entry(item) for item in job["itens"]])))
    board.complete(job["id"], report([]))
    accepted(board.heartbeat(status={"rssi": -61, "words": "çãé"}))
    accepted(cook.client.put("/config/motor", json=accepted(cook.client.get("/config/motor"))))
    cook.client.delete(f"/receitas/{cook.add_recipe()}")
    cook.queue_job()
    cook.claim_code()
    database: Database = app.state.services.database
    return database


@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_what_was_there_is_there_again_in_either_kind(
    busy_kitchen: Database, to: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    backup.back_up(busy_kitchen, tmp_path / "backup")
    before = everything(busy_kitchen)
    assert all(before[name] for name in before if name != "attempts")

    def check(url: str) -> None:
        with closing(Database(url)) as restored:
            backup.restore(tmp_path / "backup", restored)
            assert everything(restored) == before
            with restored.write() as session:
                draft = recipes.Draft("Neu", 4, [])
                assert recipes.add(session, 1, draft).id == 4  # 3 was deleted; its id is not used again

    if to == "sqlite":
        check(f"sqlite:///{tmp_path / 'restored.sqlite3'}")
    else:
        server: postgres.Server = request.getfixturevalue("postgres_server")
        with server.new_database() as url:
            check(url)


def test_it_is_one_file_for_its_owner_alone(busy_kitchen: Database, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    backup.back_up(busy_kitchen, folder / "backup")

    assert [file.name for file in folder.iterdir()] == ["backup"]
    assert (folder / "backup").stat().st_mode & 0o777 == 0o600


def test_an_older_versions_backup_is_brought_up_to_date_and_left_as_it_is(
    database_url: str, tmp_path: Path
) -> None:
    old = create_engine(f"sqlite:///{tmp_path / 'old'}")
    with old.begin() as connection:
        upgrade(connection, FIRST)
        fill(connection)
    old.dispose()
    before = (tmp_path / "old").read_bytes()

    with closing(Database(database_url)) as restored:
        backup.restore(tmp_path / "old", restored)
        assert len(everything(restored)["jobs"]) == 2
    assert (tmp_path / "old").read_bytes() == before


Spoil = Callable[[Path], None]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda file: file.unlink(), "There is no backup"),
        (lambda file: file.write_text("no database at all, whatever it is called" * 30), "not a database"),
        (lambda file: file.write_bytes(file.read_bytes()[:40_000]), "cannot be used"),
    ],
    ids=["missing", "foreign", "cut short"],
)
def test_what_is_no_backup_leaves_the_database_empty(
    busy_kitchen: Database, tmp_path: Path, spoil: Spoil, words: str
) -> None:
    file = tmp_path / "backup"
    backup.back_up(busy_kitchen, file)
    spoil(file)

    with closing(Database(f"sqlite:///{tmp_path / 'restored.sqlite3'}")) as restored:
        with pytest.raises(UnusableDatabaseError, match=words):
            backup.restore(file, restored)
        assert not any(everything(restored).values())


def test_nothing_is_written_over(busy_kitchen: Database, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    backup.back_up(busy_kitchen, file)

    with pytest.raises(backup.BackupError, match="is there already"):
        backup.back_up(busy_kitchen, file)
    with pytest.raises(backup.BackupError, match="not empty"):
        backup.restore(file, busy_kitchen)
    with pytest.raises(backup.BackupError, match="cannot be written"):
        backup.back_up(busy_kitchen, tmp_path / "nowhere" / "backup")


def test_the_file_can_be_read_by_sqlite_alone(busy_kitchen: Database, tmp_path: Path) -> None:
    backup.back_up(busy_kitchen, tmp_path / "backup")

    engine = create_engine(f"sqlite:///{tmp_path / 'backup'}")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM operators")).scalar() == "Ana"
    engine.dispose()
