"""Updates of the firmware package on a virtual board: what travels, what stays, what is taken back."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from dispctl.adapters.repl import open_repl
from dispctl.errors import BoardRefusedError, DamagedError, DeadlineError
from dispctl.operations import update_scripts
from dispctl.operations.boot import Started
from dispctl.operations.firmware_package import package_files
from dispctl.operations.update_firmware import Committed, Compared, Request, update_firmware
from tests.operations.bench import PORT, put_files
from tests.operations.saved_jobs import SAVED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.end_to_end.processes import Dispctl

pytestmark = pytest.mark.micropython

IDLE = "/firmware/idle.py"


def update(package: Mapping[str, bytes] | None = None, **options: Any) -> list[Any]:
    return list(update_firmware(Request(port=PORT, **options), package))


def changed(**files: bytes) -> dict[str, bytes]:
    """The package with other contents in some of its files."""
    return {**package_files(), **{f"/firmware/{name}.py": data for name, data in files.items()}}


def survey() -> update_scripts.Survey:
    with open_repl(PORT) as session:
        return update_scripts.read_survey(session.run(update_scripts.SURVEY))


def digests(package: Mapping[str, bytes]) -> dict[str, str]:
    return {path: update_scripts.digest(data) for path, data in package.items()}


def test_only_what_differs_travels_and_the_new_version_runs(board: str) -> None:
    new = changed(idle=package_files()[IDLE] + b"# new\n", added=b"")
    compared, committed, started = update(new)
    assert isinstance(compared, Compared)
    assert compared.changed == (IDLE, "/firmware/added.py")
    assert isinstance(committed, Committed)
    assert committed.sent_bytes < 4000
    assert isinstance(started, Started)
    after = survey()
    assert after.digests == digests(new)
    assert {name for name in after.folders if name.startswith("firmware")} == {"firmware"}


def test_the_same_again_sends_nothing_and_leaves_it_running(board: str) -> None:
    first, started = update()
    assert (first.changed, first.stale) == ((), ())
    assert isinstance(started, Started)


def test_what_an_older_version_left_goes_and_what_is_not_ours_stays(board: str) -> None:
    older = changed(old_name=b"# ours once\n")
    older["/firmware/manifest.json"] = older["/firmware/manifest.json"].replace(
        b'"/firmware/idle.py"', b'"/firmware/old_name.py": "", "/firmware/idle.py"'
    )
    update(older)
    put_files({"firmware/theirs.py": b"# not ours\n", "settings.json": b"{}", **SAVED["queued"]})
    compared = update()[0]
    assert compared.stale == ("/firmware/old_name.py",)
    after = survey()
    assert set(after.digests) - set(package_files()) == {"/firmware/theirs.py"}
    with open_repl(PORT) as session:
        assert {"settings.json", *SAVED["queued"]} <= set(session.names())


def test_a_board_that_cannot_unpack_gets_it_as_it_is(board: str, monkeypatch: pytest.MonkeyPatch) -> None:
    survey_without = update_scripts.SURVEY.replace("import deflate", "raise ImportError")
    monkeypatch.setattr(update_scripts, "SURVEY", survey_without)
    new = changed(idle=package_files()[IDLE] * 3)
    update(new)
    assert survey().digests == digests(new)


@pytest.mark.parametrize(
    "broken", [b"raise ValueError('no')\n", b"this is no program\n", b"import machine\nmachine.reset()\n"]
)
def test_a_version_that_does_not_start_is_taken_back(board: str, broken: bytes) -> None:
    with pytest.raises(DeadlineError, match="runs the one before again"):
        update(changed(dispenser=broken, added=b""))
    assert survey().digests == digests(package_files())


def test_a_version_that_hangs_is_taken_back(
    dispctl: Dispctl, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = b"import time\nwhile True: time.sleep(1)\n"
    # A watchdog of a fifth of a second in place of twenty seconds.
    impatient = package_files()["/updater.py"].replace(b"TRIAL_MS = 20_000", b"TRIAL_MS = 200")
    with pytest.raises(DeadlineError, match="runs the one before again"):
        update({**changed(main=hang), "/updater.py": impatient})
    assert survey().digests == {**digests(package_files()), "/updater.py": update_scripts.digest(impatient)}


def test_another_board_is_refused_and_left_as_it_was(board: str) -> None:
    with pytest.raises(BoardRefusedError, match=r"is 24:6f:28:.*, not 00:"):
        update(changed(added=b""), expected_mac="00:00:00:00:00:00")
    assert survey().digests == digests(package_files())


def test_a_full_board_is_said_so_before_anything_is_sent(board: str) -> None:
    with pytest.raises(DamagedError, match="KiB are free"):
        update(changed(added=b"\0" * 2_000_000))


def test_killed_at_any_moment_the_board_has_one_version_whole(dispctl: Dispctl, board: str) -> None:
    """A bounded version of the sweep in docs/flash.md."""
    new = digests(package_files())
    for delay_s in (0.15, 0.2, 0.25, 0.3, 0.4):
        update(changed(idle=b"# old\n" * 900 + package_files()[IDLE], gone=b""))
        old = survey().digests
        with subprocess.Popen(
            [sys.executable, "-m", "dispctl", "flash", "--app-only", "--port", PORT],
            env=dispctl.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as cut:  # fmt: skip
            started = time.monotonic()
            while cut.poll() is None and time.monotonic() < started + delay_s:
                time.sleep(0.005)
            cut.kill()
        assert survey().digests in (old, {**new, "/firmware/gone.py": update_scripts.digest(b"")})
        assert dispctl.json("flash", "--app-only", "--port", PORT)["firmware"] == "0.1.0"
