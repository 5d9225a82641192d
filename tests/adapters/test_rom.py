"""The bootloader session, with the real esptool, against the virtual board's loader over its cable."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING

import esptool.cmds
import pytest
from esptool.util import FatalError, UnsupportedCommandError
from serial import SerialTimeoutException

from dispctl.adapters import rom
from dispctl.adapters.rom import LineUnreliableError
from dispctl.errors import (
    BoardNotFoundError,
    BoardRefusedError,
    BoardSilentError,
    DamagedError,
    DispctlError,
    PortBusyError,
)
from dispctl.virtual.flash import NorFlash
from tests.virtual.cable import bench, loop_thread, stalled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.virtual.cable import Bench

DATA = random.Random(7).randbytes(20_000) + b"\xff" * 9_000 + b"text " * 3_000


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Bench]:
    with loop_thread() as thread, bench(thread, NorFlash(tmp_path / "flash")) as started:
        yield started


def test_it_tells_which_board_it_is(board: Bench) -> None:
    with rom.connect(board.url) as session:
        assert session.mac == "24:6f:28:aa:bb:cc"
        assert session.flash_size == 4 * 1024 * 1024


@pytest.mark.parametrize("baud", rom.BAUD_LADDER)
def test_what_is_written_is_read_back_at_every_speed(board: Bench, baud: int) -> None:
    with rom.connect(board.url, baud=baud) as session:
        session.write([(0x10000, DATA), (0x200000, b"x" * 4096)], lambda _part: None)
        assert session.read(0x10000, len(DATA)) == DATA
        assert session.holds(0x10000, DATA)
        assert not session.holds(0x10000, DATA[:-1] + b"?")


def test_erasing_takes_what_was_asked_and_no_more(board: Bench) -> None:
    with rom.connect(board.url) as session:
        session.write([(0x200000, b"a" * 12288)], lambda _part: None)
        session.erase(0x201000, 4096)
        assert session.read(0x200000, 12288) == b"a" * 4096 + b"\xff" * 4096 + b"a" * 4096


def test_progress_runs_from_nothing_to_all(board: Bench) -> None:
    parts: list[float] = []
    with rom.connect(board.url) as session:
        session.write([(0x10000, DATA), (0x30000, DATA)], parts.append)
    assert parts == sorted(parts)
    assert parts[-1] == 1
    assert len(parts) > 3


def test_esptool_prints_nothing(board: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    with rom.connect(board.url) as session:
        session.write([(0x10000, DATA)], lambda _part: None)
        session.reset()
    assert capfd.readouterr() == ("", "")


def test_a_reset_hands_over_the_log_from_its_first_byte(board: Bench) -> None:
    with rom.connect(board.url) as session:
        port = session.reset()
        port.timeout = 5
        assert port.read(60).startswith(b"ets Jul 29 2019")
    assert board.starts[-1] == "run"


def test_whatever_fails_the_board_does_not_stay_in_its_bootloader(board: Bench) -> None:
    with pytest.raises(ZeroDivisionError), rom.connect(board.url):
        raise ZeroDivisionError
    assert board.starts[-1] == "run"


def test_a_power_cut_while_writing_is_a_broken_line(board: Bench) -> None:
    with rom.connect(board.url) as session:
        board.flash.cut_at(board.flash.operations + 30, torn=False)
        with pytest.raises(LineUnreliableError, match="broke down"):
            session.write([(0x10000, DATA)], lambda _part: None)


def test_a_pulled_cable_is_said_so(board: Bench) -> None:
    with rom.connect(board.url) as session:
        board.server._listener.get_loop().call_soon_threadsafe(board.server.drop_client)  # type: ignore[union-attr]
        with pytest.raises(BoardSilentError, match="The connection broke down"):
            session.read(0, 4 * 1024 * 1024)


def test_a_far_end_that_hesitates_is_worth_another_try(board: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with rom.connect(board.url) as session:
        monkeypatch.setattr("dispctl.adapters.rfc2217_port.ANSWER_TIMEOUT_S", 0.1)
        with stalled(board.server), pytest.raises(LineUnreliableError, match="did not answer"):
            session.reset()
        monkeypatch.setattr("dispctl.adapters.rfc2217_port.ANSWER_TIMEOUT_S", 10)


def test_a_far_end_that_hesitates_at_the_very_beginning_too(
    board: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esptool.cmds, "detect_chip", _failing(SerialTimeoutException("it did not answer")))
    with pytest.raises(LineUnreliableError, match="did not answer"), rom.connect(board.url):
        pass


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Response doesn't match request.", LineUnreliableError),
        (
            "Unexpected chip magic value 0x12345678. Failed to autodetect chip type.\nProbably",
            BoardRefusedError,
        ),
    ],
)
def test_a_failure_after_the_first_answer_is_not_called_silence(
    board: Bench, monkeypatch: pytest.MonkeyPatch, words: str, expected: type[DispctlError]
) -> None:
    monkeypatch.setattr(esptool.cmds, "detect_chip", _failing(FatalError(words)))
    with pytest.raises(expected, match=words.split("\n", maxsplit=1)[0]), rom.connect(board.url):
        pass


def test_a_garbled_answer_at_the_beginning_is_no_refusal(
    board: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        esptool.cmds,
        "detect_chip",
        _failing(UnsupportedCommandError(SimpleNamespace(secure_download_mode=False), 0x14)),
    )
    with pytest.raises(LineUnreliableError, match="broke down"), rom.connect(board.url):
        pass


def test_a_chip_that_writes_wrong_bytes_is_found_out(board: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = board.flash.program
    monkeypatch.setattr(board.flash, "program", lambda offset, data: real(offset, b"\0" + data[1:]))
    with rom.connect(board.url) as session, pytest.raises(DamagedError, match="does not read back"):
        session.write([(0x10000, DATA)], lambda _part: None)


def test_a_board_that_never_enters_its_bootloader_gets_the_hint_with_the_button(
    board: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esptool.cmds, "detect_chip", _without_attempts(esptool.cmds.detect_chip))
    monkeypatch.setattr(board._circuit, "change", lambda **_: None)
    with pytest.raises(BoardSilentError) as raised, rom.connect(board.url):
        pass
    assert "BOOT" in (raised.value.hint or "")


def test_a_held_port_is_busy(board: Bench) -> None:
    with rom.connect(board.url), pytest.raises(PortBusyError), rom.connect(board.url):
        pass


def test_no_port_is_no_board() -> None:
    with pytest.raises(BoardNotFoundError), rom.connect("rfc2217://127.0.0.1:1"):
        pass


def _without_attempts(detect_chip: object) -> object:
    """As many attempts as it takes to know, and no more."""
    return lambda port: detect_chip(port, connect_attempts=1)  # type: ignore[operator]


def _failing(error: Exception) -> object:
    """In place of `detect_chip`: it fails so."""

    def detect_chip(_port: object) -> None:
        raise error

    return detect_chip
