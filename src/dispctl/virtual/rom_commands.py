"""The loader in the ESP32's ROM: what it does otherwise than the stub."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dispctl.virtual.chip_registers import CRYSTAL_HZ, MEASURED_CRYSTAL_HZ
from dispctl.virtual.loader_commands import LoaderCommands
from dispctl.virtual.rom_protocol import Fault, Operation, Request, RequestError, response

if TYPE_CHECKING:
    from dispctl.virtual.chip_registers import ChipRegisters
    from dispctl.virtual.flash import NorFlash

SLOW_READ_BLOCK = 64  # every answer to READ_FLASH_SLOW is this long, however little was asked for
UNKNOWN_RESPONSES = (
    8  # the ROM answers what it does not know several times, and not under the operation's number
)


class RomCommands(LoaderCommands):
    """The ROM's loader.

    `leaving` is set when the host asks to boot what is in the flash, `restarting` when it asks for a reset, in which
    the download strapping stays latched.
    """

    sync_value = 0x5520_1207  # what the ROM leaves in the field, never 0
    erases_first = True

    def __init__(self, flash: NorFlash, registers: ChipRegisters) -> None:
        super().__init__(flash, registers)
        self.leaving = False
        self.restarting = False
        self.operations |= {
            Operation.FLASH_END: self._leave,
            Operation.FLASH_DEFL_END: self._leave,
            Operation.READ_FLASH_SLOW: self._read_slowly,
            Operation.SPI_FLASH_MD5: self._digest,
        }

    def status(self, fault: Fault | None = None) -> bytes:
        """Failure, reason and two reserved bytes."""
        return bytes([0, 0, 0, 0] if fault is None else [1, fault.value[0], 0, 0])

    def refuse_unknown(self, request: Request) -> list[bytes]:
        """GET_SECURITY_INFO too is unknown to this chip; hosts take this answer for a sign of it."""
        return [response(~request.operation & 0xFF, self.status(Fault.BAD_MESSAGE))] * UNKNOWN_RESPONSES

    def _change_baud(self, request: Request) -> list[bytes]:
        """The ROM computes its divider from the crystal it measured, so the speed is off by the measurement."""
        answer = super()._change_baud(request)
        if self.new_baud is not None:
            self.new_baud = round(self.new_baud * CRYSTAL_HZ / MEASURED_CRYSTAL_HZ)
        return answer

    def _leave(self, request: Request) -> list[bytes]:
        (run,) = request.words(1)
        self.leaving, self.restarting = bool(run), not run
        return self.done(request)

    def _read_slowly(self, request: Request) -> list[bytes]:
        offset, length = request.words(2)
        if length > SLOW_READ_BLOCK:
            raise RequestError(Fault.BAD_MESSAGE)
        data = self.read_flash(offset, length).ljust(SLOW_READ_BLOCK, b"\0")
        return self.done(request, data=data)

    def _digest(self, request: Request) -> list[bytes]:
        offset, length, *_ = request.words(4)
        digest = hashlib.md5(self.read_flash(offset, length), usedforsecurity=False)
        return self.done(request, data=digest.hexdigest().encode())
