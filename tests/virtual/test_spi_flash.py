"""The SPI controller's registers with the flash chip's own commands behind them."""

from __future__ import annotations

import struct
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from dispctl.virtual.chip_registers import SPI1, ChipRegisters
from dispctl.virtual.flash import NorFlash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CMD, ADDR, USER, USER1, USER2, MOSI_DLEN, MISO_DLEN, W0 = (
    SPI1 + offset for offset in (0x00, 0x04, 0x1C, 0x20, 0x24, 0x28, 0x2C, 0x80)
)
WITH_COMMAND, WITH_ADDRESS, WITH_ANSWER, WITH_DATA = 1 << 31, 1 << 30, 1 << 28, 1 << 27
READ_ID, READ_STATUS, WRITE_ENABLE, WRITE_STATUS, READ_SFDP = 0x9F, 0x05, 0x06, 0x01, 0x5A


class Controller:
    """Runs flash commands through the registers, as a loader does."""

    def __init__(self, flash: NorFlash) -> None:
        self._registers = ChipRegisters(flash, bytes(6))

    def run(self, command: int, *, sent: bytes = b"", address: int | None = None, bits: int = 0) -> int:
        """The answer's first `bits` bits as a number."""
        user = WITH_COMMAND
        if sent:
            user |= WITH_DATA
            self._registers.write(MOSI_DLEN, len(sent) * 8 - 1)
            self._registers.write(W0, int.from_bytes(sent, "little"))
        if bits:
            user |= WITH_ANSWER
            self._registers.write(MISO_DLEN, bits - 1)
        if address is not None:
            user |= WITH_ADDRESS
            self._registers.write(USER1, 23 << 26)
            self._registers.write(ADDR, address << 8)
        self._registers.write(USER, user)
        self._registers.write(USER2, 7 << 28 | command)
        self._registers.write(CMD, 1 << 18)
        assert self._registers.read(CMD) == 0, "the command is still running"
        return self._registers.read(W0)


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[Controller]:
    with closing(NorFlash(tmp_path / "flash.bin")) as flash:
        yield Controller(flash)


def test_the_identity_tells_the_maker_and_the_size(controller: Controller) -> None:
    assert controller.run(READ_ID, bits=24) == 0x1640C8


@pytest.mark.parametrize(("size", "code"), [(0x200000, 0x15), (0x800000, 0x17), (0x1000000, 0x18)])
def test_the_size_in_the_identity_is_the_flashs(tmp_path: Path, size: int, code: int) -> None:
    with closing(NorFlash(tmp_path / "flash.bin", size)) as flash:
        assert Controller(flash).run(READ_ID, bits=24) >> 16 == code


def test_the_sfdp_table_tells_the_density(controller: Controller) -> None:
    assert controller.run(READ_SFDP, address=0, bits=32) == int.from_bytes(b"SFDP", "little")
    pointer = controller.run(READ_SFDP, address=12, bits=24)
    assert controller.run(READ_SFDP, address=pointer + 4, bits=32) == 4 * 1024 * 1024 * 8 - 1


def test_the_status_is_written_only_after_a_write_enable(controller: Controller) -> None:
    controller.run(WRITE_STATUS, sent=b"\x7c")
    assert controller.run(READ_STATUS, bits=8) == 0
    controller.run(WRITE_ENABLE)
    assert controller.run(READ_STATUS, bits=8) == 0x02
    controller.run(WRITE_STATUS, sent=struct.pack("<H", 0x407C))
    assert controller.run(READ_STATUS, bits=8) == 0x7C
    assert controller.run(0x35, bits=8) == 0x40


@pytest.mark.parametrize(("enable", "afterwards"), [(WRITE_ENABLE, 0x7C), (0x50, 0)])
def test_the_status_outlives_a_new_start_and_a_power_cut_if_it_was_written_for_good(
    tmp_path: Path, enable: int, afterwards: int
) -> None:
    with closing(NorFlash(tmp_path / "flash.bin")) as flash:
        controller = Controller(flash)
        controller.run(enable)
        controller.run(WRITE_STATUS, sent=b"\x7f")
        assert Controller(flash).run(READ_STATUS, bits=8) == 0x7C
        flash.status.power_lost()
        assert Controller(flash).run(READ_STATUS, bits=8) == afterwards


def test_a_write_enable_can_be_taken_back(controller: Controller) -> None:
    controller.run(WRITE_ENABLE)
    controller.run(0x04)
    controller.run(WRITE_STATUS, sent=b"\x7c")
    assert controller.run(READ_STATUS, bits=8) == 0


def test_a_command_that_the_chip_does_not_know_reads_as_ones(controller: Controller) -> None:
    assert controller.run(0x42, bits=16) == 0xFFFF


def test_no_user_command_no_change(tmp_path: Path) -> None:
    with closing(NorFlash(tmp_path / "flash.bin")) as flash:
        registers = ChipRegisters(flash, bytes(6))
        registers.write(W0, 0x1234)
        registers.write(CMD, 1 << 18)
        assert (registers.read(W0), registers.read(CMD)) == (0x1234, 0)
