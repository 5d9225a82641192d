"""Telnet framing (RFC 854, 855): bytes to data, negotiations and subnegotiations, and back; no I/O, no options."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

IAC = 0xFF
SE = 0xF0
SB = 0xFA
MAX_SUBNEGOTIATION = 1024  # a peer that never ends one must not fill the memory


class Verb(IntEnum):
    """What is said of an option: WILL and WONT of the speaker's side, DO and DONT of the other's."""

    WILL = 0xFB
    WONT = 0xFC
    DO = 0xFD
    DONT = 0xFE


@dataclass(frozen=True)
class Data:
    """Bytes meant for the line, with doubled IAC made single."""

    data: bytes


@dataclass(frozen=True)
class Negotiation:
    """WILL, WONT, DO or DONT `option`."""

    verb: Verb
    option: int


@dataclass(frozen=True)
class Subnegotiation:
    """The `payload` between IAC SB `option` and IAC SE, with doubled IAC made single."""

    option: int
    payload: bytes


Token: TypeAlias = Data | Negotiation | Subnegotiation


class TelnetReader:
    """Cuts a stream of bytes, in pieces of any size, into tokens; other Telnet commands are dropped."""

    def __init__(self) -> None:
        self._command = b""  # IAC, or IAC and a verb, whose rest has not come yet
        self._subnegotiation: bytearray | None = None
        self._tokens: list[Token] = []
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Token]:
        """The tokens that `data` completes, in order; adjacent data is one token."""
        position = 0
        while position < len(data):
            if self._command:
                self._take_command(data[position])
                position += 1
                continue
            end = data.find(IAC, position)
            end = len(data) if end < 0 else end
            self._take_data(data[position:end])
            if end < len(data):
                self._command = bytes([IAC])
            position = end + 1
        self._flush_data()
        tokens, self._tokens = self._tokens, []
        return tokens

    def _take_data(self, data: bytes) -> None:
        if self._subnegotiation is None:
            self._data += data
        else:
            self._subnegotiation += data[: MAX_SUBNEGOTIATION - len(self._subnegotiation)]

    def _take_command(self, byte: int) -> None:
        command, self._command = self._command, b""
        if len(command) > 1:
            self._emit(Negotiation(Verb(command[1]), byte))
        elif byte == IAC:
            self._take_data(bytes([IAC]))
        elif byte in Verb.__members__.values():
            self._command = bytes([IAC, byte])
        elif byte == SB:
            self._subnegotiation = bytearray()
        elif byte == SE and self._subnegotiation:
            option, *_ = self._subnegotiation
            self._emit(Subnegotiation(option, bytes(self._subnegotiation[1:])))
            self._subnegotiation = None
        else:
            self._subnegotiation = None

    def _emit(self, token: Token) -> None:
        self._flush_data()
        self._tokens.append(token)

    def _flush_data(self) -> None:
        if self._data:
            self._tokens.append(Data(bytes(self._data)))
            self._data.clear()


def escape(data: bytes) -> bytes:
    """`data` for the stream: every IAC doubled."""
    return data.replace(b"\xff", b"\xff\xff")


def negotiate(verb: Verb, option: int) -> bytes:
    """IAC, the verb, the option."""
    return bytes([IAC, verb, option])


def subnegotiate(option: int, payload: bytes) -> bytes:
    """IAC SB option payload IAC SE, the payload escaped."""
    return bytes([IAC, SB, option]) + escape(payload) + bytes([IAC, SE])
