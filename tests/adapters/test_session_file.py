"""Sessions and journals on disk: private, whole, one for each backend."""

from __future__ import annotations

import json
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from dispctl.adapters import session_file
from dispctl.adapters.job_journal import JobJournal, JobOrder, UnansweredSend
from dispctl.adapters.session_file import Session, load_session, remove_session, save_session
from dispctl.errors import DamagedError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

BACKEND = "http://127.0.0.1:8000"
SECRET = "cookie-s3cret"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(session_file.STATE_DIRECTORY_VARIABLE, str(tmp_path / "state"))
    return tmp_path / "state"


def test_a_session_is_found_again_under_any_spelling_of_the_address() -> None:
    save_session(BACKEND, Session("ana", SECRET))
    assert load_session("HTTP://127.0.0.1:8000/") == Session("ana", SECRET)
    assert load_session("http://127.0.0.1:8001") is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes; the folder is the user's own")
def test_only_the_owner_can_read_it_even_after_replacing_a_readable_one(state: Path) -> None:
    path = save_session(BACKEND, Session("ana", SECRET))
    path.chmod(0o644)
    save_session(BACKEND, Session("ana", SECRET))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert list(state.iterdir()) == [path]


def test_removing_says_whether_there_was_one() -> None:
    save_session(BACKEND, Session("ana", SECRET))
    assert remove_session(BACKEND)
    assert not remove_session(BACKEND)
    assert load_session(BACKEND) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_named_and_not_quoted(content: bytes) -> None:
    path = save_session(BACKEND, Session("ana", SECRET))
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="is damaged") as caught:
        load_session(BACKEND)
    assert str(path) in caught.value.message
    assert caught.value.__cause__ is None


def test_a_cut_before_the_replacement_leaves_the_old_session(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    save_session(BACKEND, Session("ana", SECRET))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        save_session(BACKEND, Session("ana", "other"))
    assert load_session(BACKEND) == Session("ana", SECRET)
    assert len(list(state.iterdir())) == 1


def test_a_session_does_not_show_its_cookie() -> None:
    assert SECRET not in repr(Session("ana", SECRET))


def test_a_journal_keeps_an_open_send_for_the_next_run_and_each_operator() -> None:
    order = JobOrder(3, 4)
    JobJournal.of(BACKEND, "ana").begin(order, after_id=6)
    JobJournal.of(BACKEND, "rui").settle(9)
    ana, rui = JobJournal.of(BACKEND, "ana"), JobJournal.of(BACKEND, "rui")
    assert (ana.newest_id, ana.unanswered) == (6, UnansweredSend(order, 6))
    assert (rui.newest_id, rui.unanswered) == (9, None)
    ana.settle(7)
    assert (ana.newest_id, ana.unanswered) == (7, None)


def test_a_journal_never_forgets_a_higher_id(tmp_path: Path) -> None:
    journal = JobJournal(tmp_path / "jobs.json", "ana")
    journal.settle(9)
    journal.settle(2)
    assert journal.newest_id == 9


@pytest.mark.parametrize(
    "entry",
    [1, {"newest_id": "x"}, {"newest_id": -1}, {"unanswered": 1}, {"unanswered": {"recipe_id": None}}],
)
def test_a_damaged_journal_is_named(tmp_path: Path, entry: object) -> None:
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps({"ana": entry}))
    journal = JobJournal(path, "ana")
    with pytest.raises(DamagedError, match=r"jobs\.json is damaged"):
        _ = (journal.newest_id, journal.unanswered)
