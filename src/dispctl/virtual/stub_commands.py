"""esptool's stub: what it does otherwise than the ROM's loader, and its stream of flash contents."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from dispctl.virtual.flash import FlashRangeError
from dispctl.virtual.loader_commands import LoaderCommands
from dispctl.virtual.rom_protocol import Fault, Operation, Request, RequestError, response

if TYPE_CHECKING:
    from dispctl.virtual.chip_registers import ChipRegisters
    from dispctl.virtual.flash import NorFlash

NOT_IMPLEMENTED = b"\xff\x00"
_ACKNOWLEDGEMENT = struct.Struct("<I")


class StubCommands(LoaderCommands):
    """The stub. `leaving` is set when the host asks to run what is in the flash, `restarting` for a reset.

    While there is a `reading`, frames from the host are its acknowledgements, not requests.
    """

    def __init__(self, flash: NorFlash, registers: ChipRegisters) -> None:
        super().__init__(flash, registers)
        self.leaving = False
        self.restarting = False
        self._reading: FlashReading | None = None
        self.operations |= {
            Operation.FLASH_END: self._end_flash,
            Operation.FLASH_DEFL_END: self._end_flash,
            Operation.SPI_FLASH_MD5: self._digest,
            Operation.ERASE_FLASH: self._erase_all,
            Operation.ERASE_REGION: self._erase_region,
            Operation.READ_FLASH: self._begin_reading,
            Operation.RUN_USER_CODE: self._run,
        }

    def status(self, fault: Fault | None = None) -> bytes:
        """The reason, 0 for none, and a reserved byte."""
        return bytes([0, 0] if fault is None else [fault.value[1], 0])

    def refuse_unknown(self, request: Request) -> list[bytes]:
        """The stub says plainly that it does not implement the operation."""
        return [response(request.operation, NOT_IMPLEMENTED)]

    @property
    def reading(self) -> FlashReading | None:
        """The stream under way, if there is one."""
        return None if self._reading is None or self._reading.over else self._reading

    def _end_flash(self, request: Request) -> list[bytes]:
        (stay,) = request.words(1)
        if self.begun().remaining:
            raise RequestError(Fault.NOT_ENOUGH_DATA)
        self.writer = None
        self.restarting = not stay
        return self.done(request)

    def _digest(self, request: Request) -> list[bytes]:
        offset, length, *_ = request.words(4)
        digest = hashlib.md5(self.read_flash(offset, length), usedforsecurity=False)
        return self.done(request, data=digest.digest())

    def _erase_all(self, request: Request) -> list[bytes]:
        self.flash.erase(0, self.flash.size)
        return self.done(request)

    def _erase_region(self, request: Request) -> list[bytes]:
        offset, length = request.words(2)
        try:
            self.flash.erase(offset, length)
        except FlashRangeError:
            raise RequestError(Fault.FLASH_WRITE) from None
        return self.done(request)

    def _begin_reading(self, request: Request) -> list[bytes]:
        offset, length, block_size, window = request.words(4)
        if not block_size:
            raise RequestError(Fault.BAD_MESSAGE)
        self._reading = FlashReading(self.read_flash(offset, length), block_size, window)
        return self.done(request) + self._reading.begin()

    def _run(self, _request: Request) -> list[bytes]:
        self.leaving = True
        return []


class FlashReading:
    """A stream of `contents` in blocks of `block_size`, each a bare frame, and at its end their MD5.

    The host acknowledges with the number of bytes it has (32 bits). A block is sent while fewer than `window` bytes
    are unacknowledged, so that with esptool's window of 64 there is always one on its way.
    """

    def __init__(self, contents: bytes, block_size: int, window: int) -> None:
        self.over = False
        self._contents = contents
        self._block_size = block_size
        self._window = max(window, 1)
        self._sent = 0
        self._acknowledged = 0

    def begin(self) -> list[bytes]:
        """The first frames."""
        return self._go_on()

    def acknowledge(self, frame: bytes) -> list[bytes]:
        """What follows after the host's `frame`; anything but an acknowledgement ends the stream."""
        if len(frame) != _ACKNOWLEDGEMENT.size:
            self.over = True
            return []
        (self._acknowledged,) = _ACKNOWLEDGEMENT.unpack(frame)
        return self._go_on()

    def _go_on(self) -> list[bytes]:
        frames = []
        while self._sent < len(self._contents) and self._sent - self._acknowledged < self._window:
            frames.append(self._contents[self._sent : self._sent + self._block_size])
            self._sent += len(frames[-1])
        if self._acknowledged >= len(self._contents):
            self.over = True
            frames.append(hashlib.md5(self._contents, usedforsecurity=False).digest())
        return frames
