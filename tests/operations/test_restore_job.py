"""A saved job put back onto a board: what goes, what stays, what is refused, and every cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dispctl.adapters.backups import Backups, load
from dispctl.errors import BoardRefusedError, DamagedError, UsageError
from dispctl.operations.job_state_sources import SavedFiles
from dispctl.operations.restore_job import AboutToRestore, Restored, load_saved_job, restore
from tests.operations.saved_jobs import SAVED

if TYPE_CHECKING:
    from pathlib import Path

OTHER_JOB = {"job_state": b"not this one", "job_state.progress1": b"its progress"}


class Board:
    """A way to a board that keeps files in memory, and is cut after so many changes."""

    def __init__(self, files: dict[str, bytes], cut_after: int | None = None) -> None:
        self.files = dict(files)
        self.cut_after = cut_after

    def read(self) -> SavedFiles:
        return SavedFiles(dict(self.files), mac="24:6f:28:d1:5c:01")

    def clear(self, names: list[str]) -> None:
        raise NotImplementedError

    def replace(self, old: list[str], new: dict[str, bytes]) -> None:
        for name in sorted(old):
            self._count()
            del self.files[name]
        for name, data in new.items():
            self._count()
            self.files[name] = data

    def _count(self) -> None:
        if self.cut_after == 0:
            raise ConnectionError
        if self.cut_after is not None:
            self.cut_after -= 1


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path)


def run(board: Board, files: dict[str, bytes], backups: Backups) -> list[Any]:
    return list(restore(files, board, board.read(), backups))


def backup_of(backups: Backups, files: dict[str, bytes]) -> Path:
    return backups.save("board", {f"/{name}": data for name, data in files.items()})


def test_the_job_of_a_backup_is_found_among_other_files(backups: Backups) -> None:
    path = backup_of(backups, {**SAVED["mid-item"], "settings.json": b"{}", "lib/job_state": b"x"})
    assert load_saved_job(path) == SAVED["mid-item"]


@pytest.mark.parametrize(
    ("files", "kind"), [({"settings.json": b"{}"}, UsageError), (SAVED["damaged"], DamagedError)]
)
def test_a_backup_without_a_usable_job_is_refused(
    backups: Backups, files: dict[str, bytes], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        load_saved_job(backup_of(backups, files))


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no")
    with pytest.raises(DamagedError, match="cannot be read"):
        load_saved_job(tmp_path / "x.zip")
    with pytest.raises(UsageError, match=r"There is no .*y\.zip"):
        load_saved_job(tmp_path / "y.zip")


def test_an_empty_board_gets_the_job(backups: Backups) -> None:
    board = Board({})
    assert run(board, SAVED["mid-item"], backups) == [AboutToRestore(7, None, None), Restored(7)]
    assert board.files == SAVED["mid-item"]


def test_another_job_is_saved_and_goes_with_all_its_progress(backups: Backups) -> None:
    board = Board(OTHER_JOB)
    about, done = run(board, SAVED["mid-item"], backups)
    assert load(about.backup) == {f"/{name}": data for name, data in OTHER_JOB.items()}
    assert done == Restored(7)
    assert board.files == SAVED["mid-item"]


def test_what_the_board_has_finished_since_is_not_poured_again(backups: Backups) -> None:
    board = Board(SAVED["rejected"])
    with pytest.raises(BoardRefusedError, match="has finished job 7 since"):
        run(board, SAVED["mid-item"], backups)
    assert board.files == SAVED["rejected"]


def test_the_boards_own_memory_of_finished_jobs_stays(backups: Backups) -> None:
    own = {"job_state.finished": b"newer", "job_state.local": b"results"}
    board = Board(own)
    run(board, {**SAVED["queued"], **dict.fromkeys(own, b"older")}, backups)
    assert board.files == {**SAVED["queued"], **own}


def test_stopping_at_the_question_changes_nothing(backups: Backups) -> None:
    board = Board(OTHER_JOB)
    events = restore(SAVED["queued"], board, board.read(), backups)
    next(events)
    events.close()
    assert board.files == OTHER_JOB


def test_cut_anywhere_there_is_never_a_job_without_its_progress(backups: Backups) -> None:
    """A job whose progress is missing would be poured from the start."""
    for cut_after in range(4):
        board = Board(OTHER_JOB, cut_after)
        with pytest.raises(ConnectionError):
            run(board, SAVED["mid-item"], backups)
        job = board.files.get("job_state")
        assert job is None or board.files.items() >= OTHER_JOB.items() or board.files == SAVED["mid-item"]
        board.cut_after = None
        run(board, SAVED["mid-item"], backups)
        assert board.files == SAVED["mid-item"]


def test_what_does_not_read_back_is_said_so(backups: Backups, monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board({})
    monkeypatch.setattr(board, "replace", lambda *_: None)
    with pytest.raises(DamagedError, match="does not read back"):
        run(board, SAVED["queued"], backups)
