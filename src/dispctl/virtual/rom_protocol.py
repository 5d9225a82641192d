"""The packets of Espressif's serial protocol, without what they do.

Format: https://docs.espressif.com/projects/esptool/en/latest/esp32/advanced-topics/serial-protocol.html. A request is
direction 0, operation, length of the data (16 bits), checksum (32 bits), data; a response is direction 1, operation,
length, value (32 bits), data, status. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import reduce
from operator import xor

CHECKSUM_SEED = 0xEF
_HEADER = struct.Struct("<BBHI")
_REQUEST, _RESPONSE = 0, 1


class Operation(IntEnum):
    """The operations that this board knows; the last four are the stub's."""

    FLASH_BEGIN = 0x02
    FLASH_DATA = 0x03
    FLASH_END = 0x04
    MEM_BEGIN = 0x05
    MEM_END = 0x06
    MEM_DATA = 0x07
    SYNC = 0x08
    WRITE_REG = 0x09
    READ_REG = 0x0A
    SPI_SET_PARAMS = 0x0B
    SPI_ATTACH = 0x0D
    READ_FLASH_SLOW = 0x0E
    CHANGE_BAUDRATE = 0x0F
    FLASH_DEFL_BEGIN = 0x10
    FLASH_DEFL_DATA = 0x11
    FLASH_DEFL_END = 0x12
    SPI_FLASH_MD5 = 0x13
    ERASE_FLASH = 0xD0
    ERASE_REGION = 0xD1
    READ_FLASH = 0xD2
    RUN_USER_CODE = 0xD3


class Fault(Enum):
    """Why a request failed, as (the ROM's second status byte, the stub's first)."""

    BAD_MESSAGE = (0x05, 0xC0)
    BAD_CHECKSUM = (0x07, 0xC1)
    NOT_BEGUN = (0x06, 0xC6)
    FLASH_WRITE = (0x08, 0xC4)
    FLASH_READ = (0x09, 0xC4)
    INFLATE = (0x0B, 0xC7)
    NOT_ENOUGH_DATA = (0x06, 0xC8)
    TOO_MUCH_DATA = (0x06, 0xC9)


class RequestError(Exception):
    """A request that is answered with `fault`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


@dataclass(frozen=True)
class Request:
    """One request: `operation` as it came (it may be none of `Operation`), its checksum field and data."""

    operation: int
    checksum: int
    data: bytes

    def words(self, count: int) -> tuple[int, ...]:
        """The first `count` 32-bit words of the data; raises `RequestError` if they are not there."""
        if len(self.data) < 4 * count:
            raise RequestError(Fault.BAD_MESSAGE)
        return struct.unpack_from(f"<{count}I", self.data)

    def block(self) -> bytes:
        """The block of a data request, after its four words: length, sequence number, 0, 0.

        Raises `RequestError` if it is shorter than it says, or its checksum is wrong.
        """
        length, *_ = self.words(4)
        block = self.data[16:]
        if len(block) != length:
            raise RequestError(Fault.BAD_MESSAGE)
        if checksum(block) != self.checksum & 0xFF:
            raise RequestError(Fault.BAD_CHECKSUM)
        return block


def parse_request(frame: bytes) -> Request | None:
    """The request in `frame` (unescaped), or None for what is no request: both loaders ignore such frames."""
    if len(frame) < _HEADER.size:
        return None
    direction, operation, length, check = _HEADER.unpack_from(frame)
    data = frame[_HEADER.size :]
    if direction != _REQUEST or length != len(data):
        return None
    return Request(operation, check, data)


def response(operation: int, status: bytes, *, value: int = 0, data: bytes = b"") -> bytes:
    """A response's frame, not yet escaped."""
    return _HEADER.pack(_RESPONSE, operation, len(data) + len(status), value) + data + status


def checksum(block: bytes) -> int:
    """The exclusive or of the seed and all bytes of `block`."""
    return reduce(xor, block, CHECKSUM_SEED)
