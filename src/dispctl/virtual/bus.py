"""The hardware bus: what the interpreter process asks of the board around it, and the framing of it; no meaning.

A request is one byte of operation, the payload's length as two bytes little-endian, and the payload; an answer has the
same shape, with an errno (0: done) in the first byte. Operations that tell and do not ask get no answer. The other end
is ``runtime/bus.py``, which shares no code with this.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

HEADER = struct.Struct("<BH")

INTERRUPT = b"I"
LINK_UP = b"U"
LINK_DOWN = b"D"


class Operation(IntEnum):
    """What a request asks; payloads and answers are described where `Hardware` handles them."""

    HELLO = 1
    PROGRAM = 2
    ERASE = 3
    KBD_INTR = 4
    INTERRUPT_TAKEN = 5
    RESET = 6
    SOFT_RESET = 7
    RTC_MEMORY_READ = 8
    RTC_MEMORY_WRITE = 9
    RTC_TIME = 10
    WDT = 11
    PIN_OUT = 12
    PIN_RELEASE = 13
    PIN_READ = 14
    PWM = 15
    I2C_WRITE = 16
    I2C_READ = 17
    WIFI = 18
    SYNC = 19


UNANSWERED = frozenset(
    {
        Operation.INTERRUPT_TAKEN,
        Operation.RTC_TIME,
        Operation.WDT,
        Operation.PIN_OUT,
        Operation.PIN_RELEASE,
        Operation.PWM,
    }
)


class Request(NamedTuple):
    """One request off the bus; `operation` is a number that may be none of `Operation`."""

    operation: int
    payload: bytes


class RequestReader:
    """Cuts the byte stream from the interpreter into requests."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Request]:
        """Take bytes as they come; returns the requests that are complete with them."""
        self._buffer += data
        requests = []
        while len(self._buffer) >= HEADER.size:
            operation, length = HEADER.unpack_from(self._buffer)
            end = HEADER.size + length
            if len(self._buffer) < end:
                break
            requests.append(Request(operation, bytes(self._buffer[HEADER.size : end])))
            del self._buffer[:end]
        return requests


def answer(payload: bytes = b"", error: int = 0) -> bytes:
    """The frame of an answer: `payload`, or an errno."""
    return HEADER.pack(error, len(payload)) + payload
