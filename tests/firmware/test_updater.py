"""What starts the firmware: the new version on trial, the old one when the new one fails. The cuts are tested on littlefs."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from dispctl.firmware import updater

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Chip(ModuleType):
    """Stands for `machine`."""

    def __init__(self) -> None:
        super().__init__("machine")
        self.watchdogs_ms: list[int] = []
        self.resets = 0

    def WDT(self, *, timeout: int) -> None:  # noqa: N802 - MicroPython's name
        self.watchdogs_ms.append(timeout)

    def reset(self) -> None:
        self.resets += 1


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> Chip:
    chip = Chip()
    monkeypatch.setitem(sys.modules, "machine", chip)
    monkeypatch.setattr(sys, "print_exception", print, raising=False)
    return chip


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The board's `/`, with one file of the old version."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware" / "main.py").write_text("old")
    return tmp_path


def commit(root: Path) -> None:
    (root / updater.NEXT).mkdir()
    (root / updater.NEXT / "main.py").write_text("new")


def run(monkeypatch: pytest.MonkeyPatch, main: Callable[[Callable[[], None]], None]) -> None:
    """Start, with `main` as the firmware's."""
    package, module = ModuleType("firmware"), ModuleType("firmware.main")
    module.main = package.main = module  # type: ignore[attr-defined]
    module.main = main  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "firmware", package)
    updater.start()


def fail(_confirm: Callable[[], None]) -> None:
    raise ValueError("broken")


def confirm_and_fail(confirm: Callable[[], None]) -> None:
    confirm()
    raise ValueError("later")


def test_without_an_update_nothing_is_armed_and_failures_are_seen(
    root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="broken"):
        run(monkeypatch, fail)
    assert (chip.watchdogs_ms, chip.resets) == ([], 0)


def test_a_new_version_runs_under_a_watchdog_and_stays_once_confirmed(
    root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(root)
    run(monkeypatch, lambda confirm: confirm())
    assert chip.watchdogs_ms == [updater.TRIAL_MS]
    assert capsys.readouterr().out.startswith("[UPDATE] ✓")
    run(monkeypatch, lambda confirm: confirm())
    assert (root / "firmware" / "main.py").read_text() == "new"
    assert capsys.readouterr().out == ""


def test_a_new_version_that_fails_is_reset_and_taken_back(
    root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(root)
    run(monkeypatch, fail)
    assert chip.resets == 1
    run(monkeypatch, lambda confirm: confirm())
    assert (root / "firmware" / "main.py").read_text() == "old"
    assert "[UPDATE] ✗" in capsys.readouterr().out


def test_a_failure_after_it_confirmed_takes_nothing_back(
    root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(root)
    with pytest.raises(ValueError, match="later"):
        run(monkeypatch, confirm_and_fail)
    assert not (root / updater.PREVIOUS).exists()


def test_a_flash_that_cannot_be_written_does_not_keep_the_firmware_from_running(
    root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "no space")

    commit(root)
    monkeypatch.setattr("os.rename", refuse)
    ran: list[object] = []
    run(monkeypatch, ran.append)
    assert len(ran) == 1
    assert "[UPDATE] ✗" in capsys.readouterr().out
