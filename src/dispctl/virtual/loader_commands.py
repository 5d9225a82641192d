"""What the ROM's loader and the stub have in common: registers, downloads into RAM and flash, baud rate.

A loader answers a request with frames (unescaped); `rom_loader.RomLoader` carries them. The differences are in
`rom_commands` and `stub_commands`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from dispctl.virtual.flash import FlashRangeError
from dispctl.virtual.flash_writer import FlashWriter, InflateError, TooMuchDataError
from dispctl.virtual.rom_protocol import Fault, Operation, Request, RequestError, response

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispctl.virtual.chip_registers import ChipRegisters
    from dispctl.virtual.flash import NorFlash

STUB_GREETING = b"OHAI"
SYNC_RESPONSES = 8
SYNC_PREAMBLE = b"\x07\x07\x12\x20"
_REGISTER_WRITE = struct.Struct("<4I")  # address, value, mask, delay in microseconds


class LoaderCommands:
    """A loader's table of operations. `handle` carries one out; `new_baud` is the speed it has been told to take.

    Code can be uploaded into RAM but not run: an upload that has the stub's greeting in it is taken for esptool's stub and
    sets `stub_started`; any other sets `hung`, as a program that never says anything.

    Attributes of a subclass: `sync_value` (the value in a response to SYNC), `erases_first` (see `FlashWriter`).
    """

    sync_value = 0
    erases_first = False

    def __init__(self, flash: NorFlash, registers: ChipRegisters) -> None:
        self.flash = flash
        self.registers = registers
        self.new_baud: int | None = None
        self.writer: FlashWriter | None = None
        self.stub_started = False
        self.hung = False
        self._upload = bytearray()
        self._segments: dict[int, bytes] = {}
        self._segment = (0, 0)
        self.operations: dict[int, Callable[[Request], list[bytes]]] = {
            Operation.SYNC: self._sync,
            Operation.READ_REG: self._read_register,
            Operation.WRITE_REG: self._write_registers,
            Operation.MEM_BEGIN: self._begin_upload,
            Operation.MEM_DATA: self._take_upload,
            Operation.MEM_END: self._run_upload,
            Operation.SPI_ATTACH: self._accept,
            Operation.SPI_SET_PARAMS: self._accept,
            Operation.FLASH_BEGIN: self._begin_flash,
            Operation.FLASH_DATA: self._write_flash,
            Operation.FLASH_DEFL_BEGIN: self._begin_flash,
            Operation.FLASH_DEFL_DATA: self._write_flash,
            Operation.CHANGE_BAUDRATE: self._change_baud,
        }

    def handle(self, request: Request) -> list[bytes]:
        """Carry the request out; returns the frames of the answer, none or several. Raises `PowerCutError`."""
        if request.operation not in self.operations:
            return self.refuse_unknown(request)
        try:
            return self.operations[request.operation](request)
        except RequestError as error:
            return [response(request.operation, self.status(error.fault))]

    def status(self, fault: Fault | None = None) -> bytes:
        """The status bytes at a response's end; without a fault those of success."""
        raise NotImplementedError

    def refuse_unknown(self, request: Request) -> list[bytes]:
        """The answer to an operation that this loader does not have."""
        raise NotImplementedError

    def begun(self) -> FlashWriter:
        """The download under way; raises `RequestError` if none was begun."""
        if self.writer is None:
            raise RequestError(Fault.NOT_BEGUN)
        return self.writer

    def done(self, request: Request, *, value: int = 0, data: bytes = b"") -> list[bytes]:
        """The answer to a request that succeeded."""
        return [response(request.operation, self.status(), value=value, data=data)]

    def _sync(self, request: Request) -> list[bytes]:
        if not request.data.startswith(SYNC_PREAMBLE):
            raise RequestError(Fault.BAD_MESSAGE)
        return self.done(request, value=self.sync_value) * SYNC_RESPONSES

    def _accept(self, request: Request) -> list[bytes]:
        """The flash is attached, and its size known, from the beginning."""
        return self.done(request)

    def _read_register(self, request: Request) -> list[bytes]:
        (address,) = request.words(1)
        return self.done(request, value=self.registers.read(address))

    def _write_registers(self, request: Request) -> list[bytes]:
        if not request.data or len(request.data) % _REGISTER_WRITE.size:
            raise RequestError(Fault.BAD_MESSAGE)
        for address, value, mask, _delay_us in _REGISTER_WRITE.iter_unpack(request.data):
            self.registers.write(address, value, mask)
        return self.done(request)

    def _begin_upload(self, request: Request) -> list[bytes]:
        size, _blocks, _block_size, address = request.words(4)
        self._segment = (address, size)
        self._upload.clear()
        return self.done(request)

    def _take_upload(self, request: Request) -> list[bytes]:
        address, size = self._segment
        self._upload += request.block()
        if len(self._upload) > size:
            raise RequestError(Fault.TOO_MUCH_DATA)
        self._segments[address] = bytes(self._upload)
        return self.done(request)

    def _run_upload(self, request: Request) -> list[bytes]:
        stay, entry = request.words(2)
        if not stay:
            inside = any(start <= entry < start + len(code) for start, code in self._segments.items())
            self.stub_started = inside and any(STUB_GREETING in code for code in self._segments.values())
            self.hung = not self.stub_started
        return self.done(request)

    def _begin_flash(self, request: Request) -> list[bytes]:
        size, _blocks, _block_size, offset = request.words(4)
        if offset + size > self.flash.size:
            raise RequestError(Fault.FLASH_WRITE)
        compressed = request.operation == Operation.FLASH_DEFL_BEGIN
        self.writer = FlashWriter(
            self.flash, offset, size, erase_first=self.erases_first, compressed=compressed
        )
        return self.done(request)

    def _write_flash(self, request: Request) -> list[bytes]:
        block = request.block()
        try:
            self.begun().write(block)
        except InflateError:
            raise RequestError(Fault.INFLATE) from None
        except TooMuchDataError:
            raise RequestError(Fault.TOO_MUCH_DATA) from None
        return self.done(request)

    def _change_baud(self, request: Request) -> list[bytes]:
        baud, _old_baud = request.words(2)
        if not baud:
            raise RequestError(Fault.BAD_MESSAGE)
        self.new_baud = baud
        return self.done(request)

    def read_flash(self, offset: int, length: int) -> bytes:
        """The bytes of the flash; raises `RequestError` beyond its end."""
        try:
            return self.flash.read(offset, length)
        except FlashRangeError:
            raise RequestError(Fault.FLASH_READ) from None
