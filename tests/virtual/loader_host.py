"""A host's side of the serial protocol for tests, written from its documentation, one exchange at a time."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.virtual import slip

if TYPE_CHECKING:
    from dispctl.virtual.rom_loader import RomLoader

SYNC = b"\x07\x07\x12\x20" + b"\x55" * 32
STUB = (0x4009_0000, b"OHAI, says this stub")


@dataclass(frozen=True)
class Answer:
    """One response packet; `status` is all that follows the data."""

    operation: int
    value: int
    body: bytes


class Host:
    """Speaks to `loader` as esptool would, without a cable."""

    def __init__(self, loader: RomLoader) -> None:
        self.loader = loader
        self._reader = slip.SlipReader(1 << 20)

    def send(self, operation: int, data: bytes = b"", check: int = 0) -> list[bytes]:
        """All frames that come back for one request."""
        return self.send_frame(packet(operation, data, check))

    def send_frame(self, frame: bytes) -> list[bytes]:
        """All frames that come back for one frame."""
        return self._reader.feed(self.loader.feed(slip.encode(frame)))

    def ask(self, operation: int, data: bytes = b"", check: int = 0) -> Answer:
        """The one response to one request."""
        (frame,) = self.send(operation, data, check)
        return parse(frame)

    def ask_words(self, operation: int, *words: int) -> Answer:
        """The one response to a request of 32-bit words."""
        return self.ask(operation, struct.pack(f"<{len(words)}I", *words))

    def send_block(self, operation: int, block: bytes, sequence: int = 0) -> Answer:
        """The response to a data packet."""
        (frame,) = self.send_frame(data_packet(operation, block, sequence))
        return parse(frame)

    def read_register(self, address: int) -> int:
        """The value of one register."""
        return self.ask_words(0x0A, address).value

    def start_stub(self) -> list[bytes]:
        """Upload and run `STUB`; returns all frames of the last answer."""
        address, code = STUB
        self.ask_words(0x05, len(code), 1, 0x1800, address)
        self.send_block(0x07, code)
        return self.send(0x06, struct.pack("<II", 0, address))


def packet(operation: int, data: bytes = b"", check: int = 0) -> bytes:
    """A request's frame, not yet escaped."""
    return struct.pack("<BBHI", 0, operation, len(data), check) + data


def data_packet(operation: int, block: bytes, sequence: int = 0) -> bytes:
    """A request with a block of data, likewise."""
    check = 0xEF
    for byte in block:
        check ^= byte
    return packet(operation, struct.pack("<IIII", len(block), sequence, 0, 0) + block, check)


def parse(frame: bytes) -> Answer:
    """The response in `frame`; fails if it is none."""
    direction, operation, length, value = struct.unpack_from("<BBHI", frame)
    assert direction == 1
    assert length == len(frame) - 8
    return Answer(operation, value, frame[8:])
