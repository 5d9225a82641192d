"""The released esptool as a library, over a port without pyserial's waits: speeds, cuts, and a cable that is pulled."""

from __future__ import annotations

import hashlib
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from esptool.cmds import attach_flash, detect_chip, erase_region, reset_chip, run_stub, write_flash
from esptool.util import FatalError
from serial import SerialException

from dispctl.adapters.rfc2217_port import Rfc2217Port
from dispctl.virtual.flash import NorFlash
from tests.virtual.cable import Bench, bench, loop_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.virtual.cable import LoopThread

# pyserial starts its reader thread with calls that Python has deprecated
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")

DATA = hashlib.shake_128(b"salt, pepper, cumin, oregano").digest(0x10000)  # does not compress
ADDRESS = 0x10000
DEADLINE_S = 20


class Rig:
    """A board on a cable, and the thread that serves both."""

    def __init__(self, thread: LoopThread, board: Bench) -> None:
        self.thread = thread
        self.board = board
        self.flash = board.flash
        self.port = board.server.port

    def unplug(self) -> None:
        self.thread.run(self.board.server.close())

    def plug_in(self) -> None:
        self.thread.run(self.board.server.start(port=self.port))

    def wait_for_start(self, how: str) -> None:
        """Return once the chip's last start was `how`."""
        deadline = time.monotonic() + DEADLINE_S
        while self.board.starts[-1:] != [how]:
            assert time.monotonic() < deadline, f"starts: {self.board.starts}"
            time.sleep(0.005)


@contextmanager
def rig_on(folder: Path, *, pacing: bool) -> Iterator[Rig]:
    with ExitStack() as stack:
        thread = stack.enter_context(loop_thread())
        flash = stack.enter_context(closing(NorFlash(folder / "flash.bin")))
        yield Rig(thread, stack.enter_context(bench(thread, flash, pacing=pacing)))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_on(tmp_path, pacing=False) as made:
        yield made


@contextmanager
def connected(rig: Rig, *, baud: int = 115200, stub: bool = True) -> Iterator[Any]:
    """The chip as esptool's object, with the flash attached, at `baud`."""
    url = f"rfc2217://127.0.0.1:{rig.port}"
    with closing(Rfc2217Port(url, baudrate=115200)) as port:
        chip = detect_chip(port, connect_attempts=3)
        chip = run_stub(chip) if stub else chip
        if baud != 115200:
            chip.change_baud(baud)
        attach_flash(chip)
        yield chip


@pytest.mark.parametrize("stub", [True, False])
@pytest.mark.parametrize("baud", [9600, 115200, 230400, 460800, 921600])
def test_any_speed_carries_the_bytes_unchanged(rig: Rig, baud: int, stub: bool) -> None:
    rig.flash.program(ADDRESS, DATA)
    with connected(rig, baud=baud, stub=stub) as chip:
        assert chip.read_flash(ADDRESS, 0x400) == DATA[:0x400]
        assert chip.read_flash(ADDRESS, 0x123) == DATA[:0x123]


def test_after_a_hard_reset_the_program_runs_and_the_board_can_be_connected_again(rig: Rig) -> None:
    for _ in range(2):
        with connected(rig, baud=921600) as chip:
            reset_chip(chip, "hard-reset")
        rig.wait_for_start("run")
    assert rig.board.starts == ["download", "run"] * 2


def test_a_long_download_is_verified(rig: Rig) -> None:
    image = DATA * 4 + b"\xff" * 0x20000 + DATA
    with connected(rig, baud=921600) as chip:
        write_flash(chip, [(ADDRESS, image)])
        assert chip.flash_md5sum(ADDRESS, len(image)) == hashlib.md5(image, usedforsecurity=False).hexdigest()
    assert rig.flash.read(ADDRESS, len(image)) == image


@pytest.mark.parametrize("stub", [True, False])
def test_a_power_cut_in_a_download_leaves_a_flash_that_the_next_one_repairs(rig: Rig, stub: bool) -> None:
    rig.flash.cut_at(40, torn=True, seed=1)
    with connected(rig, stub=stub) as chip, pytest.raises(FatalError):
        write_flash(chip, [(ADDRESS, DATA[:0x4000])])
    assert rig.board.starts[-1] == "cut"
    with connected(rig, stub=stub) as chip:
        write_flash(chip, [(ADDRESS, DATA[:0x4000])])
    assert rig.flash.read(ADDRESS, 0x4000) == DATA[:0x4000]


def test_a_pulled_cable_fails_the_command_and_the_next_one_works(rig: Rig) -> None:
    def pull(read: int, _total: int, _offset: int) -> None:
        if read == 0x4000:
            rig.unplug()

    rig.flash.program(ADDRESS, DATA)
    with connected(rig) as chip, pytest.raises((SerialException, FatalError, OSError)):
        chip.read_flash(ADDRESS, len(DATA), pull)
    rig.plug_in()
    with connected(rig) as chip:
        assert chip.read_flash(ADDRESS, len(DATA)) == DATA


def test_a_client_that_vanishes_in_the_middle_of_a_stream_leaves_a_board_for_the_next(rig: Rig) -> None:
    class VanishedError(Exception):
        pass

    def vanish(read: int, _total: int, _offset: int) -> None:
        if read >= 0x2000:
            raise VanishedError

    with pytest.raises(VanishedError), connected(rig) as chip:
        chip.read_flash(ADDRESS, len(DATA), vanish)
    with connected(rig, stub=False) as chip:
        assert chip.read_mac("BASE_MAC") == (0x24, 0x6F, 0x28, 0xAA, 0xBB, 0xCC)


def test_a_stub_behind_another_speed_is_not_understood(rig: Rig) -> None:
    with connected(rig, baud=460800) as chip:
        chip._set_port_baudrate(115200)
        with pytest.raises(FatalError):
            chip.read_mac("BASE_MAC")


def test_an_erase_beyond_the_end_is_an_error_of_the_chips(rig: Rig) -> None:
    with connected(rig) as chip, pytest.raises(FatalError, match=r"Failed to erase region .*C400"):
        erase_region(chip, 0x400000, 0x1000)


def test_a_paced_download_takes_at_least_the_wires_time(tmp_path: Path) -> None:
    with rig_on(tmp_path, pacing=True) as rig, connected(rig, baud=460800) as chip:
        began = time.monotonic()
        write_flash(chip, [(ADDRESS, DATA)])
        assert time.monotonic() - began >= len(DATA) * 10 / 460800
        assert rig.flash.read(ADDRESS, len(DATA)) == DATA
