"""The composition root's own part: what it makes first, and that every exit closes what then stands for the jars."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import dispctl.firmware
from dispctl.firmware import jars, loading
from dispctl.firmware.settings import default_actuator
from dispctl.firmware.watchdog import REPL_MS
from tests.on_micropython.board.fakes import FakeClock, FakeOutputs, Mains


class Board:
    """Stands for the chip; `events` is what was asked of it."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.clock = FakeClock()
        self.outputs = FakeOutputs(self.clock, Mains())

    def module(self) -> Any:
        """Like `hardware`."""
        made: Any = ModuleType("hardware")
        made.Radio = lambda: self.events.append("radio")
        made.System = lambda: SimpleNamespace(
            reset=lambda: self.events.append("reset"),
            keyboard_interrupt=lambda enabled: self.events.append(f"Ctrl-C {enabled}"),
        )
        made.WatchdogTimer = lambda: SimpleNamespace(
            arm=lambda timeout_ms: self.events.append(f"watchdog {timeout_ms}")
        )
        return made


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    board = Board()
    actuators: Any = ModuleType("actuators")
    actuators.close_outputs = lambda: board.outputs
    for name, module in (("hardware", board.module()), ("actuators", actuators)):
        monkeypatch.setitem(sys.modules, f"dispctl.firmware.{name}", module)
        monkeypatch.setattr(dispctl.firmware, name, module, raising=False)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return board


@pytest.fixture
def main(board: Board, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delitem(sys.modules, "dispctl.firmware.main", raising=False)
    return importlib.import_module("dispctl.firmware.main")


def stopped(loop: Any, outputs: Any) -> Any:
    """A dispenser whose loop does this, then is stopped by Ctrl-C."""

    def run() -> None:
        loop()
        raise KeyboardInterrupt

    return SimpleNamespace(parts=SimpleNamespace(outputs=outputs), setup=lambda: None, loop=run)


def run(main: Any, monkeypatch: pytest.MonkeyPatch, dispenser: Any) -> None:
    monkeypatch.setattr(main, "_assemble", lambda _: dispenser)
    with pytest.raises(KeyboardInterrupt):
        main.main(lambda: None)


LEFT = ["Ctrl-C True", f"watchdog {REPL_MS}"]


def test_the_radio_has_its_memory_before_the_modules_have_theirs(
    board: Board, main: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_package: str) -> None:
        board.events.append("modules")
        raise MemoryError

    monkeypatch.setattr(loading, "load_modules", full)
    with pytest.raises(MemoryError):
        main.main(lambda: None)
    assert board.events == ["radio", "modules", *LEFT]


def test_every_exit_closes(board: Board, main: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run(main, monkeypatch, stopped(lambda: board.outputs.open(1), board.outputs))
    assert not board.outputs.any_open
    assert board.events == LEFT


def test_what_was_equipped_later_is_closed_as_well(
    board: Board, main: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = FakeOutputs(board.clock, Mains())
    parts: Any = SimpleNamespace(clock=board.clock)
    board.outputs.absent = True
    outputs = jars.Jars(board.outputs, parts, lambda _: driver)

    def equip_and_open() -> None:
        outputs.equip(default_actuator())
        outputs.open(1)
        assert driver.any_open

    run(main, monkeypatch, stopped(equip_and_open, outputs))
    assert not driver.any_open


@pytest.mark.parametrize(("opens", "resets"), [(True, ["reset"]), (False, [])])
def test_a_jar_that_does_not_close_at_the_end_is_left_to_the_next_boot(
    board: Board, main: Any, monkeypatch: pytest.MonkeyPatch, opens: bool, resets: list[str]
) -> None:
    """A board whose driver is not there can be reached at its prompt all the same."""

    def fail() -> None:
        if opens:
            board.outputs.open(1)
        board.outputs.broken = True

    run(main, monkeypatch, stopped(fail, board.outputs))
    assert board.events == LEFT + resets
    assert board.outputs.renewals > 1


def test_a_bus_that_comes_back_at_the_end_is_used(
    board: Board, main: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        board.outputs.open(1)
        board.outputs.failures = 4

    run(main, monkeypatch, stopped(fail, board.outputs))
    assert not board.outputs.any_open
    assert board.events == LEFT
