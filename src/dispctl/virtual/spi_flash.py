"""The ESP32's SPI controller as a loader drives it, register by register, with the flash chip's own commands behind it.

Register layout: ESP32 Technical Reference Manual, chapter "SPI Controller". Flash commands and the SFDP table:
JEDEC JESD216 and any SPI NOR data sheet (this chip calls itself a GigaDevice of the right size). Only "user" commands
are carried out: those that a loader uses to ask the chip about itself. Reading and writing the memory goes through
the loader's own commands.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispctl.virtual.flash import NorFlash

CMD, ADDR, USER, USER1, USER2, MOSI_DLEN, MISO_DLEN, W0 = 0x00, 0x04, 0x1C, 0x20, 0x24, 0x28, 0x2C, 0x80
DATA_WORDS = 16

CMD_USR = 1 << 18
USER_COMMAND, USER_ADDR, USER_DUMMY, USER_MISO, USER_MOSI = (1 << bit for bit in (31, 30, 29, 28, 27))
USER1_ADDR_BITS_SHIFT = 26

MANUFACTURER = 0xC8
MEMORY_TYPE = 0x40
BUSY, WRITE_ENABLE_LATCH = 0x01, 0x02  # bits of the first status register that are not written


class FlashCommand(IntEnum):
    """The flash chip's commands that a loader sends through the controller."""

    WRITE_STATUS = 0x01
    WRITE_DISABLE = 0x04
    READ_STATUS = 0x05
    WRITE_ENABLE = 0x06
    WRITE_STATUS_3 = 0x11
    READ_STATUS_3 = 0x15
    WRITE_STATUS_2 = 0x31
    READ_STATUS_2 = 0x35
    WRITE_ENABLE_VOLATILE = 0x50
    READ_SFDP = 0x5A
    RESET_ENABLE = 0x66
    RESET = 0x99
    READ_ID = 0x9F


_STATUS_READ = {FlashCommand.READ_STATUS: 0, FlashCommand.READ_STATUS_2: 1, FlashCommand.READ_STATUS_3: 2}
_STATUS_WRITE = {FlashCommand.WRITE_STATUS: 0, FlashCommand.WRITE_STATUS_2: 1, FlashCommand.WRITE_STATUS_3: 2}


class SpiFlashController:
    """The registers of one SPI controller with `flash` attached; offsets are from the controller's base address."""

    def __init__(self, flash: NorFlash) -> None:
        self._chip = _FlashChip(flash)
        self._registers: dict[int, int] = {}

    def read(self, offset: int) -> int:
        """The register's 32 bits; 0 for one that was never written."""
        return self._registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        """Set the register; setting CMD's USR bit carries the prepared command out at once and clears the bit."""
        self._registers[offset] = value
        if offset == CMD and value & CMD_USR:
            self._registers[CMD] = value & ~CMD_USR
            self._run()

    def _run(self) -> None:
        user = self.read(USER)
        if not user & USER_COMMAND:
            return
        sent = self._data()[: (self.read(MOSI_DLEN) + 8) // 8] if user & USER_MOSI else b""
        answer = self._chip.command(self.read(USER2) & 0xFF, self._address(user), sent)
        if user & USER_MISO:
            self._put_data(answer, (self.read(MISO_DLEN) + 8) // 8)

    def _address(self, user: int) -> int:
        """The address phase: the top bits of ADDR, as many as USER1 says."""
        if not user & USER_ADDR:
            return 0
        return self.read(ADDR) >> (32 - (self.read(USER1) >> USER1_ADDR_BITS_SHIFT) - 1)

    def _data(self) -> bytes:
        return struct.pack(f"<{DATA_WORDS}I", *(self.read(W0 + 4 * word) for word in range(DATA_WORDS)))

    def _put_data(self, answer: bytes, length: int) -> None:
        data = answer[:length].ljust(length, b"\xff") + bytes(-length % 4)
        for word, value in enumerate(struct.unpack(f"<{len(data) // 4}I", data)[:DATA_WORDS]):
            self._registers[W0 + 4 * word] = value


class _FlashChip:
    """What the flash chip answers about itself: its identity, its SFDP table, its status registers."""

    def __init__(self, flash: NorFlash) -> None:
        self._identity = bytes([MANUFACTURER, MEMORY_TYPE, flash.size.bit_length() - 1])
        self._sfdp = _sfdp_table(flash.size)
        self._status = flash.status
        self._enabled_by: int | None = None

    def command(self, command: int, address: int, sent: bytes) -> bytes:
        """Carry out `command`; returns the bytes the chip shifts out, all ones after their end."""
        if command in _STATUS_READ:
            return self._read_status(_STATUS_READ[FlashCommand(command)])
        if command in _STATUS_WRITE:
            self._write_status(_STATUS_WRITE[FlashCommand(command)], sent)
        elif command in (FlashCommand.WRITE_ENABLE, FlashCommand.WRITE_ENABLE_VOLATILE):
            self._enabled_by = command
        elif command in (FlashCommand.WRITE_DISABLE, FlashCommand.RESET):
            self._enabled_by = None
        elif command == FlashCommand.READ_SFDP:
            return self._sfdp[address:]
        elif command == FlashCommand.READ_ID:
            return self._identity
        return b""

    def _read_status(self, register: int) -> bytes:
        latch = WRITE_ENABLE_LATCH if self._enabled_by is not None and register == 0 else 0
        return bytes([self._status.now[register] | latch])

    def _write_status(self, register: int, sent: bytes) -> None:
        """Write the register and, with two bytes, the one after it; only right after a write enable."""
        if self._enabled_by is None:
            return
        if register == 0 and sent:
            sent = bytes([sent[0] & ~(WRITE_ENABLE_LATCH | BUSY)]) + sent[1:]
        self._status.write(register, sent, for_good=self._enabled_by == FlashCommand.WRITE_ENABLE)
        self._enabled_by = None


def _sfdp_table(size: int) -> bytes:
    """The SFDP header and a basic parameter table of nine words (JESD216) that tells the density and the erase sizes."""
    header = b"SFDP" + bytes([0, 1, 0, 0xFF])
    pointer = bytes([0, 0, 1, 9, 0x30, 0, 0, 0xFF])
    erase_types = (0x520F_200C, 0xFF00_D810)  # 4 KiB by 0x20, 32 KiB by 0x52, 64 KiB by 0xD8
    words = (0xFFF1_20E5, size * 8 - 1, 0, 0, 0, 0, 0, *erase_types)
    return (header + pointer).ljust(0x30, b"\xff") + struct.pack("<9I", *words)
