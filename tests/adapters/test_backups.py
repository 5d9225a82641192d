"""Backups: what goes in comes out, only their owner reads them, and a cut run is remembered."""

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters.backups import Backups, default_backups, load
from dispctl.errors import DamagedError, UsageError

MAC = "24:6f:28:d1:5c:01"
FILES = {"/settings.json": b'{"password": "x"}', "/lib/mine.py": b"x", "/job_state": bytes(range(256))}


@given(st.dictionaries(st.from_regex(r"/[a-z_.]{1,20}", fullmatch=True), st.binary(max_size=200), max_size=5))
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    backups = Backups(tmp_path_factory.mktemp("backups"))
    assert load(backups.save(MAC, files)) == files


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    backups = Backups(tmp_path / "new" / "backups")
    path = backups.save(MAC, FILES)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(backups.folder.stat().st_mode) == 0o700


def test_each_backup_is_a_file_of_its_own(tmp_path: Path) -> None:
    backups = Backups(tmp_path)
    first, second = backups.save(MAC, FILES), backups.save(MAC, {})
    assert first != second
    assert load(first) == FILES


def test_a_run_under_way_is_remembered_per_board(tmp_path: Path) -> None:
    backups = Backups(tmp_path)
    assert backups.underway(MAC) is None
    path = backups.save(MAC, FILES)
    backups.note_underway(MAC, path)
    assert Backups(tmp_path).underway(MAC) == (path,)
    assert backups.underway("00:00:00:00:00:00") is None
    backups.note_underway(MAC, None)
    assert backups.underway(MAC) == (None,)
    backups.forget_underway(MAC)
    backups.forget_underway(MAC)
    assert backups.underway(MAC) is None


def test_a_damaged_note_is_no_reason_to_forget(tmp_path: Path) -> None:
    backups = Backups(tmp_path)
    backups.note_underway(MAC, None)
    note = next(tmp_path.glob("*.underway"))
    note.write_text("{")
    with pytest.raises(DamagedError, match="cannot be read"):
        backups.underway(MAC)


@pytest.mark.parametrize("contents", [b"", b"PK\x03\x04", b"not a zip file"])
def test_a_damaged_backup_is_named(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "backup.zip"
    path.write_bytes(contents)
    with pytest.raises(DamagedError, match=r"backup\.zip cannot be read"):
        load(path)


def test_a_backup_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="cannot be read"):
        load(tmp_path / "gone.zip")


def test_they_are_kept_with_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_backups().folder.name == "backups"


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="The backup cannot be written"):
        Backups(tmp_path / "file" / "backups").save("24:6f:28:00:00:01", {"/settings.json": b"{}"})
    with pytest.raises(UsageError, match="cannot be looked into"):
        Backups(tmp_path / "file" / "backups").underway("24:6f:28:00:00:01")


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UsageError, match="No space left"):
        Backups(tmp_path).save("24:6f:28:00:00:01", {"/settings.json": b"{}"})
    assert list(tmp_path.iterdir()) == []
