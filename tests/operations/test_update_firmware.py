"""Updates of the firmware package on a virtual board: what travels, what stays, what is taken back."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from dispctl.adapters import bytecode
from dispctl.adapters.backups import Backups, load
from dispctl.adapters.repl import open_repl
from dispctl.errors import BoardRefusedError, DamagedError, DeadlineError
from dispctl.operations import update_scripts
from dispctl.operations.boot import Started
from dispctl.operations.firmware_package import (
    BYTECODE,
    MANIFEST_PATH,
    Package,
    bytecode_package,
    manifest_of,
    source_package,
)
from dispctl.operations.kept_files import Replaced
from dispctl.operations.package_form import Prepared
from dispctl.operations.update_firmware import Committed, Compared, Request, update_firmware
from tests.operations.bench import PORT, put_files
from tests.operations.saved_jobs import SAVED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.end_to_end.processes import Dispctl

pytestmark = pytest.mark.micropython

IDLE = "/firmware/idle.mpy"
IDLE_SOURCE = source_package().files["/firmware/idle.py"]


def update(package: Package | None = None, **options: Any) -> list[Any]:
    """What it tells, but for the form, which is the first."""
    prepared, *others = update_firmware(Request(port=PORT, **options), package)
    assert isinstance(prepared, Prepared)
    return others


def deployed() -> dict[str, bytes]:
    return bytecode_package().files


def changed(**sources: bytes) -> Package:
    """The package with other programs in some of its modules."""
    compiled = bytecode.compile_all({f"firmware/{name}.py": source for name, source in sources.items()})
    return holding({f"/{name.removesuffix('.py')}.mpy": data for name, data in compiled.items()})


def holding(files: Mapping[str, bytes]) -> Package:
    """The package with other contents in some of its files."""
    return Package({**deployed(), **files}, BYTECODE)


def survey() -> update_scripts.Survey:
    with open_repl(PORT) as session:
        return update_scripts.read_survey(session.run(update_scripts.SURVEY))


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: update_scripts.digest(data) for path, data in files.items()}


def in_folder(told: Mapping[str, str]) -> dict[str, str]:
    """Without the files that start either version."""
    return {path: digest for path, digest in told.items() if path.startswith("/firmware/")}


def test_only_what_differs_travels_and_the_new_version_runs(board: str) -> None:
    new = changed(idle=IDLE_SOURCE + b"NEW = 1\n", added=b"")
    compared, committed, started = update(new)
    assert isinstance(compared, Compared)
    assert compared.changed == (IDLE, "/firmware/added.mpy")
    assert isinstance(committed, Committed)
    assert committed.sent_bytes < 4000
    assert isinstance(started, Started)
    after = survey()
    assert after.digests == digests(new.files)
    assert {name for name in after.folders if name.startswith("firmware")} == {"firmware"}


def test_the_same_again_sends_nothing_and_leaves_it_running(board: str) -> None:
    first, started = update()
    assert (first.changed, first.stale) == ((), ())
    assert isinstance(started, Started)


def test_what_an_older_version_left_goes_and_what_is_not_ours_stays(board: str) -> None:
    older = changed(old_name=b"OURS_ONCE = 1\n").files
    listed = f'"{IDLE}"'.encode()
    older[MANIFEST_PATH] = older[MANIFEST_PATH].replace(listed, b'"/firmware/old_name.mpy": "", ' + listed)
    update(holding(older))
    put_files({"firmware/theirs.py": b"# not ours\n", "settings.json": b"{}", **SAVED["queued"]})
    compared = update()[0]
    assert compared.stale == ("/firmware/old_name.mpy",)
    after = survey()
    assert set(after.digests) - set(deployed()) == {"/firmware/theirs.py"}
    with open_repl(PORT) as session:
        assert {"settings.json", *SAVED["queued"]} <= set(session.names())


def test_to_sources_and_back_each_module_is_there_once(dispctl: Dispctl, board: str) -> None:
    for arguments, package in ((("--source",), source_package()), ((), bytecode_package())):
        result = dispctl.json("flash", "--app-only", "--port", board, *arguments)
        assert (result["form"], result["firmware"]) == (package.form, "0.1.0")
        assert survey().digests == digests(package.files)


def test_a_source_beside_its_bytecode_goes(board: str) -> None:
    """Somebody tried something on the board: MicroPython would go on loading that."""
    put_files({"firmware/idle.py": IDLE_SOURCE + b"TRIED = 1\n", "updater.py": b"TRIED = 1\n"})
    assert update()[0].stale == ("/firmware/idle.py", "/updater.py")
    assert survey().digests == digests(deployed())


def test_the_manifest_of_the_version_before_is_ours(board: str) -> None:
    files = dict(changed(idle=IDLE_SOURCE + b"NEW = 2\n").files)
    del files[MANIFEST_PATH]
    compared, *rest = update(holding({**files, MANIFEST_PATH: manifest_of(files)}))
    assert isinstance(compared, Compared)
    assert compared.changed == (IDLE, MANIFEST_PATH)
    assert [type(event) for event in rest] == [Committed, Started]


def test_what_others_put_where_ours_goes_is_saved_first(board: str, tmp_path: Path) -> None:
    theirs = {"main.py": b"print('theirs')\n", "firmware/idle.py": b"# tried"}
    put_files(theirs)
    (replaced,) = [
        event for event in update(backups=Backups(tmp_path / "backups")) if isinstance(event, Replaced)
    ]
    assert load(replaced.backup) == {f"/{path}": data for path, data in theirs.items()}
    assert survey().digests == digests(deployed())


@pytest.mark.parametrize("loads", [0, 5, 7])
def test_a_board_that_loads_other_bytecode_gets_sources(
    board: str, monkeypatch: pytest.MonkeyPatch, loads: int
) -> None:
    told = update_scripts.SURVEY.replace('getattr(sys.implementation,"_mpy",0)&255', str(loads))
    monkeypatch.setattr(update_scripts, "SURVEY", told)
    prepared = next(iter(update_firmware(Request(port=PORT))))
    assert isinstance(prepared, Prepared)
    assert prepared.form == "source"
    assert "does not load the bytecode" in prepared.reason


def test_a_board_that_cannot_unpack_gets_it_as_it_is(board: str, monkeypatch: pytest.MonkeyPatch) -> None:
    survey_without = update_scripts.SURVEY.replace("import deflate", "raise ImportError")
    monkeypatch.setattr(update_scripts, "SURVEY", survey_without)
    new = changed(idle=IDLE_SOURCE * 3)
    update(new)
    assert survey().digests == digests(new.files)


@pytest.mark.parametrize("broken", [b"raise ValueError('no')\n", b"import machine\nmachine.reset()\n"])
def test_a_version_that_does_not_start_is_taken_back(board: str, broken: bytes) -> None:
    with pytest.raises(DeadlineError, match="runs the one before again"):
        update(changed(dispenser=broken, added=b""))
    assert survey().digests == digests(deployed())


def test_a_version_that_the_board_does_not_load_is_taken_back(board: str) -> None:
    of_another_version = b"M\x05" + deployed()["/firmware/dispenser.mpy"][2:]
    with pytest.raises(DeadlineError, match="runs the one before again"):
        update(holding({"/firmware/dispenser.mpy": of_another_version}))
    assert survey().digests == digests(deployed())


def test_a_change_of_form_that_does_not_start_is_taken_back(board: str) -> None:
    sources = Package({**source_package().files, "/firmware/dispenser.py": b"this is no program\n"}, "source")
    with pytest.raises(DeadlineError, match="runs the one before again"):
        update(sources)
    assert in_folder(survey().digests) == in_folder(digests(deployed()))


def test_a_version_that_hangs_is_taken_back(
    dispctl: Dispctl, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = b"import time\nwhile True: time.sleep(1)\n"
    # A watchdog of a fifth of a second in place of twenty seconds.
    source = source_package().files["/updater.py"].replace(b"TRIAL_MS = 20_000", b"TRIAL_MS = 200")
    impatient = bytecode.compile_all({"updater.py": source})["updater.py"]
    with pytest.raises(DeadlineError, match="runs the one before again"):
        update(holding({**changed(main=hang).files, "/updater.mpy": impatient}))
    assert survey().digests == {**digests(deployed()), "/updater.mpy": update_scripts.digest(impatient)}


def test_another_board_is_refused_and_left_as_it_was(board: str) -> None:
    with pytest.raises(BoardRefusedError, match=r"is 24:6f:28:.*, not 00:"):
        update(changed(added=b""), expected_mac="00:00:00:00:00:00")
    assert survey().digests == digests(deployed())


def test_a_full_board_is_said_so_before_anything_is_sent(board: str) -> None:
    with pytest.raises(DamagedError, match="KiB are free"):
        update(holding({"/firmware/added.bin": b"\0" * 2_000_000}))


def test_killed_at_any_moment_the_board_has_one_version_whole(dispctl: Dispctl, board: str) -> None:
    """A bounded version of the sweep in docs/flash.md, with every file of the package changed."""
    for delay_s in (0.15, 0.2, 0.25, 0.3, 0.4, 0.5):
        update(source_package())
        with subprocess.Popen(
            [sys.executable, "-m", "dispctl", "flash", "--app-only", "--port", PORT],
            env=dispctl.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as cut:  # fmt: skip
            started = time.monotonic()
            while cut.poll() is None and time.monotonic() < started + delay_s:
                time.sleep(0.005)
            cut.kill()
        assert in_folder(survey().digests) in (
            in_folder(digests(source_package().files)),
            in_folder(digests(deployed())),
        )
        assert dispctl.json("flash", "--app-only", "--port", PORT)["firmware"] == "0.1.0"
        assert survey().digests == digests(deployed())
