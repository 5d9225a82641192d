"""Download mode: the ROM's loader, and the stub once uploaded, as one pure object between a UART and the flash.

Knows neither the cable nor the processor: whoever owns it carries the bytes, sets the UART's speed and boots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispctl.virtual import boot_text, slip
from dispctl.virtual.chip_registers import ChipRegisters
from dispctl.virtual.loader_commands import STUB_GREETING
from dispctl.virtual.rom_commands import RomCommands
from dispctl.virtual.rom_protocol import Operation, parse_request
from dispctl.virtual.stub_commands import StubCommands

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispctl.virtual.flash import NorFlash

STREAMED = (Operation.FLASH_DATA, Operation.FLASH_DEFL_DATA)
MAX_FRAME = 0x1_0000  # the stub's blocks of 0x4000 bytes, all of them escaped, fit twice


class RomLoader:
    """A chip in download mode, from the moment it has said `boot_text.download()`.

    `feed` takes the UART's bytes and returns the answer's. `baud` is the speed of its UART from the end of that answer
    on, or None while the ROM still takes whatever speed the host has: the first SYNC makes it `line_baud`, which the
    owner keeps at the line's speed. `answers_early` tells of the last answer that it goes out before the flash has done
    what was asked, which the stub allows itself with data, so that the next block can be on its way. `on_reset` is called when the host tells the chip to run what is in the flash: the
    object is finished then. `reset` is a new start in download mode.
    """

    def __init__(self, flash: NorFlash, mac: bytes, *, on_reset: Callable[[], None] = lambda: None) -> None:
        self.line_baud = 115200
        self.baud: int | None = None
        self.answers_early = False
        self._flash = flash
        self._mac = mac
        self._on_reset = on_reset
        self.reset()

    @property
    def stub_running(self) -> bool:
        """Whether the stub has taken over."""
        return isinstance(self._loader, StubCommands)

    def reset(self) -> None:
        """Begin again: no stub, nothing uploaded, any speed."""
        self.baud = None
        self._registers = ChipRegisters(self._flash, self._mac)
        self._slip = slip.SlipReader(MAX_FRAME)
        self._loader: RomCommands | StubCommands | None = RomCommands(self._flash, self._registers)

    def feed(self, data: bytes) -> bytes:
        """The bytes to answer `data` with; raises `PowerCutError` when the flash does."""
        answer = bytearray()
        for frame in self._slip.feed(data):
            answer += self._take(frame)
        return bytes(answer)

    def _take(self, frame: bytes) -> bytes:
        loader = self._loader
        if loader is None:
            return b""
        reading = loader.reading if isinstance(loader, StubCommands) else None
        if reading is not None:
            return b"".join(map(slip.encode, reading.acknowledge(frame)))
        request = parse_request(frame)
        if request is None:
            return b""
        frames = loader.handle(request)
        self.answers_early = isinstance(loader, StubCommands) and request.operation in STREAMED
        if request.operation == Operation.SYNC:
            self._follow_line()
        return b"".join(map(slip.encode, frames)) + self._move_on(loader)

    def _follow_line(self) -> None:
        if self.baud is None:
            self._set_baud(self.line_baud)

    def _set_baud(self, baud: int) -> None:
        self.baud = self._registers.uart_baud = baud

    def _move_on(self, loader: RomCommands | StubCommands) -> bytes:
        """Do what the request has asked for beyond its answer; returns what the chip says of it."""
        if loader.new_baud is not None:
            self._set_baud(loader.new_baud)
            loader.new_baud = None
        if loader.restarting:
            self.reset()
            return boot_text.download(boot_text.ResetCause.SW_RESET)
        if loader.leaving:
            self._loader = None
            self._on_reset()
        elif loader.hung:
            self._loader = None
        elif loader.stub_started:  # the ROM's, or the stub's that was there, over which it was loaded
            self._loader = StubCommands(self._flash, self._registers)
            return slip.encode(STUB_GREETING)
        return b""
