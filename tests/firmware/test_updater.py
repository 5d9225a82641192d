"""What starts the firmware: the new version on trial, the old one when the new one fails. The cuts are tested on littlefs."""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
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


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited instead of waiting."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def commit(root: Path) -> None:
    (root / updater.NEXT).mkdir()
    (root / updater.NEXT / "main.py").write_text("new")


class Board(MetaPathFinder, Loader):
    """The firmware on the board, loaded as often as it is asked for, with this `main` and `close_outputs`."""

    def __init__(self, main: Callable[[Callable[[], None]], None], close_outputs: Callable[[], None]) -> None:
        self._contents = {"main": main, "close_outputs": close_outputs}
        self.loaded: list[str] = []

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        is_ours = name.split(".", maxsplit=1)[0] == "firmware"
        return ModuleSpec(name, self, is_package=name == "firmware") if is_ours else None

    def exec_module(self, module: ModuleType) -> None:
        self.loaded.append(module.__name__)
        if module.__name__ != "firmware":
            vars(module).update(self._contents)


def run(
    monkeypatch: pytest.MonkeyPatch,
    main: Callable[[Callable[[], None]], None],
    close_outputs: Callable[[], None] = lambda: None,
) -> Board:
    """Start, with `main` as the firmware's."""
    board = Board(main, close_outputs)
    for name in [name for name in sys.modules if name.split(".")[0] == "firmware"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [board, *sys.meta_path])
    updater.start()
    return board


def fail(_confirm: Callable[[], None]) -> None:
    raise ValueError("broken")


def confirm_and_fail(confirm: Callable[[], None]) -> None:
    confirm()
    raise ValueError("later")


def test_without_an_update_a_firmware_that_fails_is_told_and_started_again(
    root: Path,
    chip: Chip,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    slept: list[float],
) -> None:
    board = run(monkeypatch, fail)
    assert (chip.watchdogs_ms, chip.resets, slept) == ([], 1, [updater.RESTART_S])
    told = capsys.readouterr().out
    assert "broken" in told
    assert "[ERRO] O firmware parou (ValueError); reiniciando em 10 s" in told
    assert board.loaded == ["firmware", "firmware.main"]


def test_ctrl_c_before_the_restart_leaves_the_prompt(
    root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", press)
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, fail)
    assert chip.resets == 0


def test_ctrl_c_is_no_failure(root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_confirm: Callable[[], None]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, stop)
    assert chip.resets == 0


def test_the_outputs_are_closed_before_an_update_and_the_code_that_did_it_is_loaded_anew(
    root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(root)
    seen: list[str] = []
    board = run(
        monkeypatch,
        lambda confirm: confirm(),
        lambda: seen.append((root / "firmware" / "main.py").read_text()),
    )
    assert seen == ["old"]
    assert board.loaded == ["firmware", "firmware.actuators", "firmware", "firmware.main"]


def test_outputs_that_cannot_be_closed_hold_up_no_update(
    root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise ImportError("between two versions")

    commit(root)
    run(monkeypatch, lambda confirm: confirm(), refuse)
    assert (root / "firmware" / "main.py").read_text() == "new"
    assert "between two versions" in capsys.readouterr().out


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
    root: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    commit(root)
    run(monkeypatch, confirm_and_fail)
    assert (chip.resets, slept) == (1, [updater.RESTART_S])
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
