"""Transactions, and databases that cannot be used."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from dispctl.backend.refusals import StoreBusyError
from dispctl.backend.settings import utc_now
from dispctl.backend.store import operators, sqlite
from dispctl.backend.store.database import Database
from dispctl.backend.store.errors import UnusableDatabaseError


def test_a_block_that_raises_changes_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite3'}")

    def add_and_fail() -> None:
        with database.write() as session:
            operators.add(session, "Ana", "hash", utc_now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()

    with database.read() as session:
        assert operators.named(session, "ana") is None
    database.close()


def test_what_is_written_is_there_for_the_next_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'a.sqlite3'}"
    first = Database(url)
    with first.write() as session:
        operators.add(session, "Ana", "hash", utc_now())
    first.close()

    second = Database(url)
    with second.read() as session:
        ana = operators.named(session, "ANA")
        assert ana is not None
        assert ana.created_at.tzinfo is not None
    second.close()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    with database.write():
        modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    database.close()

    assert modes == {0o600}


def test_an_acknowledged_change_survives_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    with database.read() as session:
        full = 2
        assert session.scalar(text("PRAGMA synchronous")) == full
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()


def test_a_database_that_others_keep_locked_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite3'}")

    with database.write() as first:
        operators.named(first, "whoever has the first word has the lock")
        with pytest.raises(StoreBusyError), database.write() as second:
            operators.named(second, "Ana")
    with database.write() as third:
        assert operators.named(third, "Ana") is None
    database.close()


def test_a_full_disk_is_a_refusal_and_leaves_what_was_there(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite3'}")

    def add_too_much() -> None:
        with database.write() as session:
            session.execute(text("PRAGMA max_page_count = 1"))  # no more than there is
            for number in range(1000):
                operators.add(session, f"Ana {number}", "hash" * 40, utc_now())

    with pytest.raises(StoreBusyError):
        add_too_much()

    with database.read() as session:
        assert operators.named(session, "Ana 0") is None
    database.close()


@pytest.mark.parametrize(
    "url", ["nonsense", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "postgresql+asyncpg://x/y"]
)
def test_only_files_and_postgresql_are_taken(url: str) -> None:
    with pytest.raises(UnusableDatabaseError):
        Database(url)


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite3").write_text("this is not a database, whatever its name says" * 10)

    with pytest.raises(UnusableDatabaseError, match="file is not a database"):
        Database(f"sqlite:///{tmp_path / 'a.sqlite3'}")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UnusableDatabaseError, match="cannot be written"):
        Database(f"sqlite:///{tmp_path / 'file' / 'a.sqlite3'}")
