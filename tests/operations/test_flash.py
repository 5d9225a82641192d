"""What `flash` does to a board, in memory: kept files, every cut, foreign data, slower lines, the boot line."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from littlefs import LittleFS, UserContext

from dispctl.adapters import rom
from dispctl.adapters.backups import Backups, load
from dispctl.adapters.rom import LineUnreliableError
from dispctl.errors import DamagedError, DeadlineError, DispctlError, UsageError
from dispctl.image import littlefs_image
from dispctl.image.littlefs_image import ReadOnlyFilesystem
from dispctl.image.micropython_image import DISK_VERSION_2_0, IMAGE_OFFSET
from dispctl.operations.boot import Started
from dispctl.operations.firmware_package import (
    MANIFEST_PATH,
    bytecode_package,
    manifest_of,
    source_package,
)
from dispctl.operations.flash import (
    Connected,
    Dropping,
    Event,
    Kept,
    Request,
    SlowedDown,
    Verified,
    Written,
    flash,
)
from dispctl.operations.kept_files import Replaced
from dispctl.operations.package_form import Prepared
from dispctl.virtual import esp_image
from tests.operations.fake_rom import CutError, FakeRom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VFS_OFFSET, VFS_LENGTH = 0x200000, 0x200000
OWN = {
    "/settings.json": b'{"ssid": "Cozinha", "password": "tempero123"}',
    "/job_state": b"j" * 900,
    "/job_state.progress": b"p" * 61,
    "/lib/mine.py": b"# mine\n" * 900,
    "/blank.bin": b"\xff" * 9000,
}


@functools.cache
def image() -> bytes:
    return esp_image.build_image()


@pytest.fixture
def image_path(tmp_path: Path) -> Path:
    path = tmp_path / "micropython.bin"
    path.write_bytes(image())
    return path


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path / "backups")


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> FakeRom:
    board = FakeRom()
    monkeypatch.setattr(rom, "connect", board.connect)
    return board


def put_micropython(board: FakeRom) -> None:
    """As an earlier flash left it."""
    board.flash[IMAGE_OFFSET : IMAGE_OFFSET + len(image())] = image()


def put_files(board: FakeRom, files: dict[str, bytes], **options: Any) -> None:
    """As MicroPython left them."""
    built = littlefs_image.build(files, VFS_LENGTH, **options)
    board.flash[VFS_OFFSET : VFS_OFFSET + VFS_LENGTH] = built.data


def deployed() -> dict[str, bytes]:
    """What a board gets of ours."""
    return bytecode_package().files


def files_on(board: FakeRom) -> dict[str, bytes]:
    """Every file that MicroPython would find."""
    filesystem = mounted(board)
    return {path: filesystem.read_file(path) for path in filesystem.paths()}


def mounted(board: FakeRom) -> ReadOnlyFilesystem:
    return ReadOnlyFilesystem(
        lambda offset, length: bytes(board.flash[VFS_OFFSET + offset : VFS_OFFSET + offset + length]),
        VFS_LENGTH,
    )


def run(backups: Backups, **options: Any) -> list[Event]:
    """Flash without asking the firmware first."""
    return list(flash(Request(port="x", force=True, boot_timeout_s=0.2, **options), backups))


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


def test_a_blank_board_ends_up_running(board: FakeRom, backups: Backups, image_path: Path) -> None:
    events = run(backups, image=image_path)
    assert kinds(events) == [Connected, Prepared, Kept, Written, Verified, Started]
    assert events[-1] == Started("0.1.0", "esp-246f28d15c01")
    assert files_on(board) == deployed()
    for offset, data in ((0x1000, image()[:0x7000]), (0x10000, image()[0xF000:])):
        assert bytes(board.flash[offset : offset + len(data)]) == data
    assert list(backups.folder.glob("*")) == []


def test_the_manifest_lists_what_is_there(board: FakeRom, backups: Backups, image_path: Path) -> None:
    run(backups, image=image_path)
    files = files_on(board)
    listed = json.loads(files.pop(MANIFEST_PATH))["files"]
    assert listed == {path: hashlib.sha256(contents).hexdigest() for path, contents in files.items()}


def updated_often(files: dict[str, bytes], times: int) -> bytes:
    """A filesystem as it was flashed, then changed so often that both halves of its folders are of high revisions."""
    medium = UserContext(VFS_LENGTH)
    medium.buffer[:] = littlefs_image.build(files, VFS_LENGTH).data
    filesystem = LittleFS(
        context=medium, mount=False, block_size=4096, block_count=VFS_LENGTH // 4096,
        read_size=32, prog_size=32, cache_size=128, lookahead_size=32, name_max=255,
    )  # fmt: skip
    filesystem.mount()
    for _ in range(times):
        for path, data in files.items():
            with filesystem.open(f"{path}~", "wb") as file:
                file.write(data[:-7] + b"changed")
            filesystem.rename(f"{path}~", path)
    filesystem.unmount()
    return bytes(medium.buffer)


@pytest.mark.parametrize("times", [1, 2, 9])
def test_nothing_of_what_was_changed_since_the_last_flash_shines_through(
    board: FakeRom, backups: Backups, times: int
) -> None:
    put_micropython(board)
    old = updated_often(OWN | deployed(), times)
    board.flash[VFS_OFFSET : VFS_OFFSET + VFS_LENGTH] = old
    own = {path: data for path, data in files_on(board).items() if path in OWN}
    run(backups)
    assert files_on(board) == own | deployed()


def test_what_is_the_boards_own_stays_and_is_saved(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    put_micropython(board)
    put_files(board, OWN | {"/firmware/gone.py": b"old", "/main.py": b"old"})
    events = run(backups, image=image_path)
    assert files_on(board) == OWN | deployed()
    kept = next(event for event in events if isinstance(event, Kept))
    assert kept.paths == tuple(sorted(OWN))
    assert kept.backup is not None
    assert {path: data for path, data in load(kept.backup).items() if path in OWN} == OWN


THEIRS = {
    "/main.py": b"print('their program')",
    "/firmware/theirs.py": b"# beside ours",
    "/updater.py": b"# another updater",
}


def test_what_others_put_where_ours_goes_is_saved_and_told_of(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    put_micropython(board)
    put_files(board, THEIRS)
    events = run(backups, image=image_path)
    replaced = next(event for event in events if isinstance(event, Replaced))
    assert replaced.paths == tuple(sorted(THEIRS))
    assert load(replaced.backup) == THEIRS
    assert files_on(board) == deployed()


def test_another_main_program_on_a_board_of_ours_is_saved(board: FakeRom, backups: Backups) -> None:
    put_micropython(board)
    put_files(board, deployed() | {"/main.py": THEIRS["/main.py"]})
    (replaced,) = [event for event in run(backups) if isinstance(event, Replaced)]
    assert load(replaced.backup) == {"/main.py": THEIRS["/main.py"]}


def test_what_ours_replaces_of_ours_is_no_matter(board: FakeRom, backups: Backups) -> None:
    put_micropython(board)
    older = deployed() | {"/firmware/gone.py": b"old", "/main.py": b"old"}
    del older[MANIFEST_PATH]
    put_files(board, older | {MANIFEST_PATH: manifest_of(older)})
    assert not [event for event in run(backups) if isinstance(event, Replaced)]
    assert list(backups.folder.glob("*.zip")) == []


def test_a_backup_that_is_lost_is_said_so_and_erase_goes_on_without(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    put_micropython(board)
    backups.note_underway(board.mac, backups.folder / "lost.zip")
    with pytest.raises(DamagedError, match="cannot be read") as raised:
        run(backups, image=image_path)
    assert "--erase" in (raised.value.hint or "")
    assert kinds(run(backups, image=image_path, erase=True))[-1] is Started


def test_stale_files_of_an_older_version_go_wherever_they_were(board: FakeRom, backups: Backups) -> None:
    put_micropython(board)
    manifest = json.dumps({"version": "0.0.1", "files": {"/lib/ours_once.py": "x", "/main.py": "y"}}).encode()
    put_files(board, OWN | {"/lib/ours_once.py": b"1", MANIFEST_PATH: manifest})
    run(backups)
    assert files_on(board) == OWN | deployed()


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b'{"files": 5}'])
def test_a_damaged_manifest_drops_nothing(board: FakeRom, backups: Backups, manifest: bytes) -> None:
    put_micropython(board)
    put_files(board, OWN | {MANIFEST_PATH: manifest})
    run(backups)
    assert files_on(board) == OWN | deployed()


def test_a_micropython_that_is_there_already_is_not_written_again(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    run(backups, image=image_path)
    first = board.operations
    events = run(backups, image=image_path)
    assert next(event for event in events if isinstance(event, Written)).was_there
    assert board.operations - first < first


def test_without_an_image_the_boards_micropython_stays(board: FakeRom, backups: Backups) -> None:
    put_micropython(board)
    before = bytes(board.flash[:VFS_OFFSET])
    run(backups)
    assert bytes(board.flash[:VFS_OFFSET]) == before
    assert files_on(board) == deployed()


def test_without_an_image_a_blank_board_is_refused_with_where_to_get_one(
    board: FakeRom, backups: Backups
) -> None:
    with pytest.raises(UsageError, match="There is no MicroPython on the board") as raised:
        run(backups)
    assert "--micropython" in (raised.value.hint or "")
    assert "micropython.org" in (raised.value.hint or "")
    assert board.operations == 0


def test_an_old_micropython_gets_a_disk_version_that_it_mounts(
    board: FakeRom, backups: Backups, tmp_path: Path
) -> None:
    old = tmp_path / "old.bin"
    old.write_bytes(esp_image.build_image(version="v1.20.0"))
    run(backups, image=old)
    assert mounted(board).disk_version == DISK_VERSION_2_0


@pytest.mark.parametrize("version", ["v1.18.0", "v9.0.0", "nightly"])
def test_a_micropython_not_known_to_load_the_bytecode_gets_sources(
    board: FakeRom, backups: Backups, tmp_path: Path, version: str
) -> None:
    image = tmp_path / "other.bin"
    image.write_bytes(esp_image.build_image(version=version))
    prepared = next(event for event in run(backups, image=image) if isinstance(event, Prepared))
    assert prepared.form == "source"
    assert f"MicroPython {version}" in prepared.reason
    assert files_on(board) == source_package().files


def test_changing_the_form_leaves_no_module_twice(board: FakeRom, backups: Backups, image_path: Path) -> None:
    put_files(board, OWN)
    for as_source, package in (
        (True, source_package()),
        (False, bytecode_package()),
        (True, source_package()),
    ):
        run(backups, image=image_path, as_source=as_source)
        assert files_on(board) == OWN | package.files


def test_a_module_in_the_other_form_goes_whoever_put_it_there(board: FakeRom, backups: Backups) -> None:
    put_micropython(board)
    put_files(board, OWN | {"/updater.py": b"old", "/firmware/pour.py": b"edited", MANIFEST_PATH: b"{}"})
    run(backups)
    assert files_on(board) == OWN | deployed()


def test_erase_says_what_is_dropped_before_it_drops_it(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    put_micropython(board)
    put_files(board, OWN)
    events = flash(Request(port="x", force=True, erase=True, image=image_path), backups)
    for event in events:
        if isinstance(event, Dropping):
            assert event.what == tuple(sorted(OWN))
            assert event.backup is not None
            assert load(event.backup) == OWN
            break
    events.close()
    assert files_on(board) == OWN


def test_erase_says_that_it_drops_what_nobody_can_read(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    put_files(board, OWN)
    for block in (VFS_OFFSET, VFS_OFFSET + 4096):
        board.flash[block + 16 : block + 64] = bytes(48)
    (dropping,) = [
        event for event in run(backups, image=image_path, erase=True) if isinstance(event, Dropping)
    ]
    assert dropping == Dropping(("files that cannot be read",), None)


@pytest.mark.parametrize("erase", [True, False])
def test_a_note_that_makes_no_sense_stops_all_but_erase(
    board: FakeRom, backups: Backups, image_path: Path, erase: bool
) -> None:
    backups.note_underway(board.mac, None)
    next(backups.folder.glob("*.underway")).write_text("{")
    if erase:
        assert kinds(run(backups, image=image_path, erase=True))[-1] is Started
        return
    with pytest.raises(DamagedError, match="cannot be read") as raised:
        run(backups, image=image_path)
    assert "Remove the note" in (raised.value.hint or "")


def test_erase_leaves_nothing_of_it(board: FakeRom, backups: Backups, image_path: Path) -> None:
    put_files(board, OWN)
    run(backups, image=image_path, erase=True)
    assert files_on(board) == deployed()
    assert b"tempero123" not in board.flash


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xeb\x3c\x90".ljust(510, b"\0") + b"\x55\xaa", "a FAT filesystem"),
        (b"something else", "data that is no filesystem of MicroPython"),
    ],
)
def test_foreign_data_is_named_before_it_is_lost(
    board: FakeRom, backups: Backups, image_path: Path, data: bytes, words: str
) -> None:
    board.flash[VFS_OFFSET : VFS_OFFSET + len(data)] = data
    events = run(backups, image=image_path)
    assert Dropping((words,), None) in events
    assert files_on(board) == deployed()


def damage_superblocks(board: FakeRom) -> None:
    for block in (0, 1):
        start = VFS_OFFSET + block * 4096
        board.flash[start + 20 : start + 4000] = b"\0" * 3980


def test_a_damaged_filesystem_is_not_overwritten_unasked(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    put_micropython(board)
    put_files(board, OWN)
    damage_superblocks(board)
    before = bytes(board.flash)
    with pytest.raises(DamagedError, match="cannot be kept") as raised:
        run(backups, image=image_path)
    assert "--erase" in (raised.value.hint or "")
    assert bytes(board.flash) == before
    run(backups, image=image_path, erase=True)
    assert files_on(board) == deployed()


def cut_points(total: int) -> list[int]:
    """Every operation at the ends, a sample in between."""
    return sorted({*range(12), *range(total - 12, total), *range(12, total - 12, max(1, total // 40))})


@pytest.mark.parametrize("with_image", [True, False])
def test_cut_anywhere_the_same_command_brings_it_to_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, image_path: Path, with_image: bool
) -> None:
    options: dict[str, Any] = {"image": image_path} if with_image else {}
    whole = prepared(monkeypatch, with_image)
    run(Backups(tmp_path / "whole"), **options)
    for point in cut_points(whole.operations):
        board = prepared(monkeypatch, with_image)
        backups = Backups(tmp_path / f"cut {point}")
        board.cut_after = point
        with pytest.raises(CutError):
            run(backups, **options)
        board.power_on()
        run(backups, **options)
        assert files_on(board) == OWN | deployed(), f"cut after {point} operations"
        assert backups.underway(board.mac) is None


def prepared(monkeypatch: pytest.MonkeyPatch, blank_program: bool) -> FakeRom:
    """A board with files of its own, and, unless it is to be written, MicroPython."""
    board = FakeRom()
    monkeypatch.setattr(rom, "connect", board.connect)
    put_micropython(board)
    if blank_program:
        board.flash[0x10000:0x11000] = b"\0" * 4096
    put_files(board, OWN)
    return board


def test_cut_twice_in_a_row_nothing_is_lost(board: FakeRom, backups: Backups, image_path: Path) -> None:
    put_micropython(board)
    put_files(board, OWN)
    for cut_after in (3, 1, 5, 2):
        board.cut_after = cut_after
        with pytest.raises(CutError):
            run(backups, image=image_path)
        board.power_on()
    events = run(backups, image=image_path)
    assert next(event for event in events if isinstance(event, Kept)).resumed
    assert files_on(board) == OWN | deployed()


def test_a_board_that_made_itself_a_filesystem_after_a_cut_gets_its_files_back(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    put_micropython(board)
    put_files(board, OWN)
    board.cut_after = 4
    with pytest.raises(CutError):
        run(backups, image=image_path)
    board.power_on()
    put_files(board, {"/boot.py": b"# made by MicroPython when it found no filesystem\n"})
    run(backups, image=image_path)
    assert files_on(board) == OWN | deployed()


def test_what_the_board_did_since_a_cut_counts(board: FakeRom, backups: Backups, image_path: Path) -> None:
    """The note is there, but the new filesystem was whole: the board ran, and its job has ended meanwhile."""
    put_files(board, OWN)
    run(backups, image=image_path)
    backups.note_underway(board.mac, next(backups.folder.glob("*.zip")))
    since = {path: data for path, data in files_on(board).items() if not path.startswith("/job_state")}
    put_files(board, since)
    events = run(backups, image=image_path)
    assert not next(event for event in events if isinstance(event, Kept)).resumed
    assert not [path for path in files_on(board) if path.startswith("/job_state")]


def test_a_line_that_breaks_down_is_tried_slower(
    board: FakeRom, backups: Backups, image_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = board.read

    def read(offset: int, length: int) -> bytes:
        if board.bauds[-1] > 115200:
            raise LineUnreliableError("Garbage.")
        return real(offset, length)

    monkeypatch.setattr(board, "read", read)
    events = run(backups, image=image_path)
    assert board.bauds == [921600, 460800, 115200]
    assert [event.baud for event in events if isinstance(event, SlowedDown)] == [460800, 115200]
    assert isinstance(events[-1], Started)


def test_a_line_that_is_no_better_slower_is_given_up(
    board: FakeRom, backups: Backups, image_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "read", _raise(LineUnreliableError("Garbage.")))
    with pytest.raises(LineUnreliableError):
        run(backups, image=image_path, bauds=(57600,))
    assert board.bauds == [57600]


def test_a_firmware_that_does_not_start_is_not_done(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    board.log = b"ImportError: no module named 'x'\r\n"
    with pytest.raises(DeadlineError, match="did not say within") as raised:
        run(backups, image=image_path)
    assert "ImportError" in (raised.value.hint or "")


def test_a_boot_program_that_stayed_is_named_when_the_firmware_does_not_start(
    board: FakeRom, backups: Backups, image_path: Path
) -> None:
    put_files(board, {"/boot.py": b"while True: pass"})
    board.log = b"ets Jul 29 2019\r\n"
    with pytest.raises(DeadlineError) as raised:
        run(backups, image=image_path)
    assert "/boot.py is the board's own" in (raised.value.hint or "")


def test_another_version_that_starts_is_not_done(board: FakeRom, backups: Backups, image_path: Path) -> None:
    board.log = b"[SETUP] dispctl firmware 0.0.7 uid=esp-1\r\n"
    with pytest.raises(DamagedError, match=r"started firmware 0\.0\.7, not 0\.1\.0"):
        run(backups, image=image_path)


def test_kept_files_that_do_not_read_back_are_found_out(
    board: FakeRom, backups: Backups, image_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_files(board, OWN)
    real = littlefs_image.build

    def wrong(files: dict[str, bytes], length: int, *, disk_version: int) -> littlefs_image.BuiltImage:
        return real({**files, "/job_state": b"?" * 900}, length, disk_version=disk_version)

    monkeypatch.setattr(littlefs_image, "build", wrong)
    with pytest.raises(DamagedError, match="/job_state does not read back"):
        run(backups, image=image_path)
    assert backups.underway(board.mac) is not None


def test_an_image_that_cannot_be_used_touches_nothing(
    board: FakeRom, backups: Backups, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path / "notes.txt", tmp_path / "missing.bin", tmp_path):
        with pytest.raises(DispctlError):
            run(backups, image=path)
    assert board.bauds == []


def _raise(error: Exception) -> Callable[..., Any]:
    def raiser(*_args: Any) -> Any:
        raise error

    return raiser
