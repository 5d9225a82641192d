"""What `inspect-flash` says of boards and images in every state, by every way, and what clearing changes."""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispctl.adapters import rom
from dispctl.adapters.backups import Backups, load
from dispctl.adapters.rom import LineUnreliableError
from dispctl.errors import (
    BackendUnreachableError,
    BoardRefusedError,
    BoardSilentError,
    DamagedError,
    DispctlError,
    UsageError,
)
from dispctl.image import littlefs_image
from dispctl.operations import busy
from dispctl.operations.inspect_flash import (
    AboutToClear,
    Cancelled,
    Cleared,
    Dumped,
    Event,
    Inspected,
    Request,
    Restarted,
    TriedInVain,
    inspect_flash,
)
from dispctl.operations.restore_job import Restored
from dispctl.virtual import esp_image
from tests.fake_board import FakeBoard, running
from tests.operations.fake_rom import FakeRom
from tests.operations.saved_jobs import PAYLOAD, SAVED

if TYPE_CHECKING:
    from pathlib import Path

VFS_OFFSET, VFS_LENGTH = 0x200000, 0x200000
PHASE_2_KEYS = {"job_id", "total", "done", "failed", "ts_inicio", "json", "log"}
OTHERS = {"/main.py": b"x", "/settings.json": b'{"on_interrupted": "ask", "password": "tempero123"}'}


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path / "backups")


def partition(saved: dict[str, bytes]) -> bytes:
    """The filesystem of a board with these files saved."""
    files = OTHERS | {f"/{name}": data for name, data in saved.items()}
    return littlefs_image.build(files, VFS_LENGTH).data


def whole_flash(files: bytes) -> bytes:
    """A dump of 4 MiB with MicroPython and this filesystem."""
    flash = bytearray(b"\xff" * 0x400000)
    image = esp_image.build_image()
    flash[0x1000 : 0x1000 + len(image)] = image
    flash[VFS_OFFSET : VFS_OFFSET + len(files)] = files
    return bytes(flash)


def run(backups: Backups, **options: Any) -> list[Event]:
    return list(inspect_flash(Request(**{"port": "none", **options}), backups))


def inspected(events: list[Event]) -> Inspected:
    return next(event for event in events if isinstance(event, Inspected))


def look_at(path: Path, data: bytes, backups: Backups) -> dict[str, Any]:
    path.write_bytes(data)
    return inspected(run(backups, image=path)).view


@pytest.mark.parametrize("name", list(SAVED))
@pytest.mark.parametrize(
    "make", [partition, lambda saved: whole_flash(partition(saved))], ids=["partition", "flash"]
)
def test_every_state_has_the_phase_2_keys_from_any_image(
    name: str, make: Any, tmp_path: Path, backups: Backups
) -> None:
    view = look_at(tmp_path / "dump", make(SAVED[name]), backups)
    assert set(view) >= PHASE_2_KEYS | {"items", "next", "findings"}
    assert view["filesystem"] == "littlefs"
    assert view["files"] == {file: len(data) for file, data in sorted(SAVED[name].items())}


def test_a_job_under_way_is_shown_item_by_item(tmp_path: Path, backups: Backups) -> None:
    view = look_at(tmp_path / "dump", partition(SAVED["mid-item"]), backups)
    assert (view["job_id"], view["total"], view["done"], view["failed"]) == (7, 4, 1, 1)
    assert [item["state"] for item in view["items"]] == ["done", "failed", "running", "pending"]
    assert [entry["status"] for entry in view["log"]] == ["done", "failed"]
    assert view["json"] == PAYLOAD.decode()
    assert (view["next"], view["next_item"]) == ("wait", 3)  # the settings say: ask


def test_no_job_is_said_with_null(tmp_path: Path, backups: Backups) -> None:
    view = look_at(tmp_path / "dump", partition({}), backups)
    assert (view["job_id"], view["next"], view["log"], view["findings"]) == (None, "nothing", [], [])


def test_a_report_refused_for_good_is_shown_with_its_reason(tmp_path: Path, backups: Backups) -> None:
    view = look_at(tmp_path / "dump", partition(SAVED["rejected"]), backups)
    assert view["job_id"] is None
    assert view["rejected"]["rejected"] == {"status": 404, "reason": "Job não encontrado"}
    assert view["finished"] == [7]


def test_a_torn_file_is_a_finding(tmp_path: Path, backups: Backups) -> None:
    (tmp_path / "dump").write_bytes(partition(SAVED["damaged"]))
    found = inspected(run(backups, image=tmp_path / "dump"))
    assert found.is_damaged
    assert "cut short" in found.view["findings"][0]["finding"]


@pytest.mark.parametrize(
    ("data", "filesystem", "is_damaged"),
    [
        (b"\xff" * 0x400000, "blank", False),
        (whole_flash(b"\xff" * VFS_LENGTH), "blank", False),
        (whole_flash(b"\xeb\x3c\x90".ljust(510, b"\0") + b"\x55\xaa"), "fat", True),
        (whole_flash(b"spiffs?"), "unknown", True),
    ],
    ids=["blank flash", "blank files", "fat", "unknown"],
)
def test_what_is_no_littlefs_is_named(
    data: bytes, filesystem: str, is_damaged: bool, tmp_path: Path, backups: Backups
) -> None:
    (tmp_path / "dump").write_bytes(data)
    found = inspected(run(backups, image=tmp_path / "dump"))
    assert found.view["filesystem"] == filesystem
    assert found.is_damaged is is_damaged


@pytest.mark.parametrize("length", [0, 4095, 8191])
def test_a_file_too_short_for_a_filesystem_is_no_dump(length: int, tmp_path: Path, backups: Backups) -> None:
    (tmp_path / "dump").write_bytes(b"\xff" * length)
    with pytest.raises(DamagedError, match="too short to be a dump"):
        inspected(run(backups, image=tmp_path / "dump"))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 32), name=st.sampled_from(list(SAVED)))
def test_damaged_images_give_findings_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, seed: int, name: str
) -> None:
    randomness = random.Random(seed)
    data = bytearray(partition(SAVED[name]))
    for _ in range(randomness.choice([1, 10, 100, 1000])):
        position = randomness.choice([0, 4096, randomness.randrange(len(data))]) + randomness.randrange(2000)
        data[position % len(data)] ^= 1 << randomness.randrange(8)
    if randomness.random() < 0.3:
        del data[randomness.randrange(8192, len(data)) :]
    folder = tmp_path_factory.mktemp("damaged")
    view = look_at(folder / "dump", bytes(data), Backups(folder))
    assert set(view) >= PHASE_2_KEYS


def test_no_secret_is_in_the_view(tmp_path: Path, backups: Backups) -> None:
    assert "tempero123" not in str(look_at(tmp_path / "dump", partition(SAVED["queued"]), backups))


def test_files_are_put_where_they_are_wanted(tmp_path: Path, backups: Backups) -> None:
    (tmp_path / "dump").write_bytes(partition(SAVED["queued"]))
    events = run(backups, image=tmp_path / "dump", raw=tmp_path / "new" / "raw")
    assert Dumped(tmp_path / "new" / "raw", tuple(sorted(SAVED["queued"]))) in events
    for name, data in SAVED["queued"].items():
        assert (tmp_path / "new" / "raw" / name).read_bytes() == data


@pytest.mark.parametrize(
    "options",
    [
        {"via": "telepathy"},
        {"image": "/nowhere"},
        {"image": "/nowhere", "clear": True},
        {"via": "control", "restore": "/nowhere"},
        {"clear": True, "restore": "/x"},
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], tmp_path: Path, backups: Backups) -> None:
    if "image" in options:
        options = {**options, "image": tmp_path / "nowhere"}
    with pytest.raises(UsageError):
        run(backups, **options)


class Firmware:
    """The control lines' side of a running firmware; `busy` is what it refuses to clear with."""

    def __init__(self, saved: dict[str, bytes], busy: str | None = None) -> None:
        self.saved = dict(saved)
        self.busy = busy
        self.board = FakeBoard(
            status=lambda _: {
                "mac": "24:6f:28:d1:5c:01",
                "pouring": bool(busy),
                "job": 7,
                "item": 1,
                "total": 4,
            },
            get_settings=lambda _: {"settings": {"on_interrupted": "remainder"}},
            job_state=self.job_state,
            clear_job=self.clear_job,
        )

    def job_state(self, request: dict[str, Any]) -> dict[str, Any]:
        if "file" not in request:
            return {"files": {name: len(data) for name, data in self.saved.items()}, "state": None}
        data, offset = self.saved[request["file"]], request["offset"]
        chunk = base64.b64encode(data[offset : offset + 512]).decode()
        return {"file": request["file"], "offset": offset, "size": len(data), "data": chunk}

    def clear_job(self, _: dict[str, Any]) -> dict[str, Any] | str:
        if self.busy:
            return self.busy
        self.saved = {name: data for name, data in self.saved.items() if name == "job_state.finished"}
        return {}


@pytest.mark.parametrize("name", list(SAVED))
def test_the_running_firmware_tells_the_same_as_its_flash(
    name: str, tmp_path: Path, backups: Backups
) -> None:
    firmware = Firmware(SAVED[name])
    with running(firmware.board) as board:
        found = inspected(run(backups, port=board.port))
    assert found.via == "control"
    by_image = look_at(tmp_path / "dump", partition(SAVED[name]), backups)
    assert {**found.view, "next": 0} == {**by_image, "next": 0}


def test_a_file_rewritten_while_it_is_read_is_read_again(backups: Backups) -> None:
    firmware = Firmware({"job_state": b"a" * 700})
    real = firmware.job_state

    def growing(request: dict[str, Any]) -> dict[str, Any]:
        answer = real(request)
        if request.get("offset") == 0:
            firmware.saved["job_state"] = SAVED["queued"]["job_state"]
        return answer

    firmware.board.handlers["job_state"] = growing
    with running(firmware.board) as board:
        assert inspected(run(backups, port=board.port)).saved.files == {
            "job_state": SAVED["queued"]["job_state"]
        }


def test_names_that_lead_elsewhere_are_not_followed(tmp_path: Path, backups: Backups) -> None:
    firmware = Firmware({"job_state/../../evil": b"x", "job_state": b"y", "settings.json": b"secret"})
    with running(firmware.board) as board:
        events = run(backups, port=board.port, raw=tmp_path / "raw")
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["job_state"]
    assert inspected(events).saved.files == {"job_state": b"y"}


def test_clearing_saves_first_and_leaves_nothing_to_pour(backups: Backups) -> None:
    firmware = Firmware(SAVED["mid-item"])
    with running(firmware.board) as board:
        events = run(backups, port=board.port, clear=True)
    about = next(event for event in events if isinstance(event, AboutToClear))
    assert about.job_id == 7
    assert load(about.backup) == {f"/{name}": data for name, data in SAVED["mid-item"].items()}
    assert events[-1] == Cleared(7)
    assert firmware.saved == {}


def test_a_job_is_cancelled_in_the_backend_before_the_board_forgets_it(backups: Backups) -> None:
    firmware = Firmware(SAVED["mid-item"])
    held = []

    def cancel(job_id: int) -> bool:
        held.append((job_id, "job_state" in firmware.saved))
        return False

    with running(firmware.board) as board:
        events = run(backups, port=board.port, clear=True, cancel=cancel)
    assert held == [(7, True)]
    assert events[-2:] == [Cancelled(7, was_over=False), Cleared(7)]


def test_a_job_that_cannot_be_cancelled_stays_on_the_board(backups: Backups) -> None:
    firmware = Firmware(SAVED["mid-item"])
    cancel = _raise(BackendUnreachableError("The backend does not answer."))
    with running(firmware.board) as board, pytest.raises(BackendUnreachableError):
        run(backups, port=board.port, clear=True, cancel=cancel)
    assert firmware.saved == SAVED["mid-item"]


def test_stopping_at_the_question_changes_nothing(backups: Backups) -> None:
    firmware = Firmware(SAVED["mid-item"])
    with running(firmware.board) as board:
        events = inspect_flash(Request(port=board.port, clear=True), backups)
        assert any(
            isinstance(event, AboutToClear) for event in events if isinstance(event, AboutToClear | Cleared)
        )
        events.close()
    assert firmware.saved


def test_a_board_that_pours_refuses_to_be_cleared_and_is_not_reset_instead(backups: Backups) -> None:
    firmware = Firmware(SAVED["mid-item"], busy="busy: the job is being poured")
    with running(firmware.board) as board, pytest.raises(BoardRefusedError, match="being poured"):
        run(backups, port=board.port, clear=True)
    assert firmware.saved == SAVED["mid-item"]


@pytest.mark.parametrize("via", ["repl", "rom"])
def test_a_way_that_stops_the_program_is_not_taken_while_it_pours(via: str, backups: Backups) -> None:
    with (
        running(Firmware(SAVED["mid-item"], busy="busy").board) as board,
        pytest.raises(BoardRefusedError, match="A jar is being poured"),
    ):
        run(backups, port=board.port, via=via)


@pytest.fixture
def dead_board(monkeypatch: pytest.MonkeyPatch) -> FakeRom:
    """A board that answers only in its bootloader."""
    board = FakeRom()
    monkeypatch.setattr(rom, "connect", lambda port, baud=0: board.connect(port, baud=baud))
    silent = _raise(BoardSilentError("The board is silent."))
    monkeypatch.setattr("dispctl.adapters.control.open_control", silent)
    monkeypatch.setattr("dispctl.adapters.repl.open_repl", silent)
    monkeypatch.setattr(busy, "await_end_of_pour", lambda *_args, **_options: iter(()))
    return board


def test_a_board_that_does_not_start_is_read_through_its_bootloader(
    dead_board: FakeRom, backups: Backups
) -> None:
    dead_board.flash[:] = whole_flash(partition(SAVED["mid-item"]))
    events = run(backups)
    assert [event.via for event in events if isinstance(event, TriedInVain)] == ["control", "repl"]
    assert inspected(events).view["job_id"] == 7
    assert events[-1] == Restarted("rom")
    assert dead_board.bytes_read < VFS_LENGTH / 20


def test_clearing_through_the_bootloader_changes_one_block(dead_board: FakeRom, backups: Backups) -> None:
    before = whole_flash(partition(SAVED["mid-item"]))
    dead_board.flash[:] = before
    events = run(backups, via="rom", clear=True)
    assert Cleared(7) in events
    changed = [start for start in range(0, len(before), 4096) if dead_board.flash[start : start + 4096] != before[start : start + 4096]]  # fmt: skip
    assert len(changed) == 1
    assert inspected(run(backups, via="rom")).view["job_id"] is None


def test_a_block_that_does_not_verify_is_put_back(
    dead_board: FakeRom, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = whole_flash(partition(SAVED["mid-item"]))
    dead_board.flash[:] = before
    real, calls = dead_board.write, [0]

    def write(pieces: list[tuple[int, bytes]], on_progress: Any) -> None:
        calls[0] += 1
        if calls[0] == 1:
            real([(offset, b"\0" * len(data)) for offset, data in pieces], on_progress)
            raise DamagedError("What was written does not read back from the flash.")
        real(pieces, on_progress)

    monkeypatch.setattr(dead_board, "write", write)
    with pytest.raises(DamagedError, match="does not read back"):
        run(backups, via="rom", clear=True)
    assert bytes(dead_board.flash) == before


def test_a_blank_board_is_said_to_be_blank(dead_board: FakeRom, backups: Backups) -> None:
    found = inspected(run(backups, via="rom"))
    assert (found.view["filesystem"], found.view["job_id"], found.is_damaged) == ("blank", None, False)


def test_a_board_with_a_damaged_table_is_refused(dead_board: FakeRom, backups: Backups) -> None:
    dead_board.flash[:] = whole_flash(partition(SAVED["queued"]))
    dead_board.flash[0x8004] ^= 1
    with pytest.raises(DispctlError, match="cannot be made sense of") as raised:
        run(backups, via="rom")
    assert "dispctl flash" in (raised.value.hint or "")
    assert dead_board.operations == 0


def test_a_backup_of_another_board_is_not_put_onto_this_one(dead_board: FakeRom, backups: Backups) -> None:
    dead_board.flash[:] = whole_flash(partition(SAVED["no-job"]))
    files = {f"/{name}": data for name, data in SAVED["queued"].items()}
    others, own, anyones = (
        backups.save(board, files) for board in ("24:6f:28:00:00:99", dead_board.mac, "board")
    )
    with pytest.raises(BoardRefusedError, match="was taken from the board 24:6f:28:00:00:99"):
        run(backups, via="rom", restore=others)
    assert dead_board.operations == 0
    for fitting in (own, anyones):
        assert Restored(7) in run(backups, via="rom", restore=fitting)


@pytest.mark.parametrize("asked", [None, 460_800])
def test_a_bootloader_on_a_bad_line_is_read_more_slowly_unless_a_speed_was_asked_for(
    dead_board: FakeRom, backups: Backups, monkeypatch: pytest.MonkeyPatch, asked: int | None
) -> None:
    dead_board.flash[:] = whole_flash(partition(SAVED["queued"]))
    real = dead_board.read

    def read(offset: int, length: int) -> bytes:
        if dead_board.bauds[-1] > 115_200:
            raise LineUnreliableError("Garbage.")
        return real(offset, length)

    monkeypatch.setattr(dead_board, "read", read)
    if asked:
        with pytest.raises(LineUnreliableError):
            run(backups, via="rom", baud=asked)
        assert dead_board.bauds == [asked]
        return
    events = run(backups, via="rom")
    assert [event.slower for event in events if isinstance(event, TriedInVain)] == [460_800, 115_200]
    assert inspected(events).view["job_id"] == 7


def test_a_bootloader_that_never_answers_is_not_asked_again(
    backups: Backups, dead_board: FakeRom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_board, "read", _raise(BoardSilentError("The board is silent.")))
    with pytest.raises(BoardSilentError):
        run(backups, via="rom")
    assert len(dead_board.bauds) == 1


def _raise(error: Exception) -> Any:
    def raiser(*_args: Any, **_options: Any) -> Any:
        raise error

    return raiser
