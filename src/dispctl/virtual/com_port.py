"""The server's side of RFC 2217 (Telnet COM-PORT-OPTION) as a pure object: bytes in, events and answers out.

It keeps what the client has set (speed, format, DTR, RTS, break) and answers every request at once. It knows neither
sockets nor time; `rfc2217.Rfc2217Server` carries its bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from dispctl.virtual.telnet import (
    Data,
    Negotiation,
    Subnegotiation,
    TelnetReader,
    Token,
    Verb,
    escape,
    negotiate,
    subnegotiate,
)

BINARY = 0
SUPPRESS_GO_AHEAD = 3
COM_PORT_OPTION = 44
OPTIONS = frozenset({BINARY, SUPPRESS_GO_AHEAD, COM_PORT_OPTION})

SIGNATURE_TEXT = b"dispctl virtual board"
SERVER_OFFSET = 100  # an answer's code is its request's plus 100
DEFAULT_BAUD = 115200
MAX_BAUD = 5_000_000  # the ESP32's UART goes no faster
MODEM_STATE = 0xB0  # CTS, DSR and carrier detect are on, as a bridge without flow control shows them
LINE_STATE = 0x60  # both transmit registers are empty


class Request(IntEnum):
    """The client's requests (RFC 2217, "Definition of COM-PORT-OPTION commands")."""

    SIGNATURE = 0
    SET_BAUDRATE = 1
    SET_DATASIZE = 2
    SET_PARITY = 3
    SET_STOPSIZE = 4
    SET_CONTROL = 5
    NOTIFY_LINESTATE = 6
    NOTIFY_MODEMSTATE = 7
    FLOWCONTROL_SUSPEND = 8
    FLOWCONTROL_RESUME = 9
    SET_LINESTATE_MASK = 10
    SET_MODEMSTATE_MASK = 11
    PURGE_DATA = 12


class Control(IntEnum):
    """The values of SET-CONTROL that change or ask for one line."""

    BREAK_QUERY = 4
    BREAK_ON = 5
    BREAK_OFF = 6
    DTR_QUERY = 7
    DTR_ON = 8
    DTR_OFF = 9
    RTS_QUERY = 10
    RTS_ON = 11
    RTS_OFF = 12


FLOW_OUTBOUND_QUERY = 0
FLOW_INBOUND_QUERY = 13
FLOW_OUTBOUND = frozenset({1, 2, 3, 17, 19})  # both directions; 17 and 19 are flow control by DCD and DSR
FLOW_INBOUND = frozenset({14, 15, 16, 18})


@dataclass(frozen=True)
class Received:
    """Bytes to send on the line."""

    data: bytes


@dataclass(frozen=True)
class BaudSet:
    """The client set the line's speed."""

    baud: int


@dataclass(frozen=True)
class LinesSet:
    """The client set DTR or RTS; both are told (True: asserted)."""

    dtr: bool
    rts: bool


@dataclass(frozen=True)
class BreakSet:
    """The client began or ended a break."""

    on: bool


@dataclass(frozen=True)
class Purged:
    """The client threw away what it had not received yet (`inbound`), what was not sent yet (`outbound`), or both."""

    inbound: bool
    outbound: bool


@dataclass(frozen=True)
class Suspended:
    """The client asked for silence (`on`), or for data again."""

    on: bool


Event: TypeAlias = Received | BaudSet | LinesSet | BreakSet | Purged | Suspended


class ComPort:
    """One client's port, from its connection to its end."""

    def __init__(self) -> None:
        self.baud = DEFAULT_BAUD
        self.dtr = False
        self.rts = False
        self.line_break = False
        self._format = {Request.SET_DATASIZE: 8, Request.SET_PARITY: 1, Request.SET_STOPSIZE: 1}
        self._masks = {Request.SET_LINESTATE_MASK: 0, Request.SET_MODEMSTATE_MASK: 0xFF}
        self._flow = {FLOW_OUTBOUND_QUERY: 1, FLOW_INBOUND_QUERY: 14}
        self._ours: set[int] = set(OPTIONS)  # what we have said we WILL
        self._theirs: set[int] = {BINARY, COM_PORT_OPTION}  # what we have asked them to DO
        self._reader = TelnetReader()
        self._answers = bytearray()
        self._modem_state_told = False
        for option in sorted(self._ours):
            self._answers += negotiate(Verb.WILL, option)
        for option in sorted(self._theirs):
            self._answers += negotiate(Verb.DO, option)

    def receive(self, data: bytes) -> list[Event]:
        """What the client's bytes mean, in order. Answers to them wait in `take_answers`."""
        events: list[Event] = []
        for token in self._reader.feed(data):
            events += self._take(token)
        return events

    def take_answers(self) -> bytes:
        """The bytes to send to the client now, in front of any data; empty when there are none."""
        answers = bytes(self._answers)
        self._answers.clear()
        return answers

    @staticmethod
    def encode(data: bytes) -> bytes:
        """Bytes of the line as they travel to the client."""
        return escape(data)

    def _take(self, token: Token) -> list[Event]:
        if isinstance(token, Data):
            return [Received(token.data)]
        if isinstance(token, Negotiation):
            self._negotiate(token)
            return []
        return self._request(token)

    def _negotiate(self, asked: Negotiation) -> None:
        """Agree to `OPTIONS`, refuse others, and say nothing twice (RFC 1143's rule against loops)."""
        if asked.verb in (Verb.DO, Verb.DONT):
            self._agree(asked, self._ours, Verb.DO, (Verb.WILL, Verb.WONT))
        else:
            self._agree(asked, self._theirs, Verb.WILL, (Verb.DO, Verb.DONT))
        if asked.verb in (Verb.DO, Verb.WILL) and asked.option == COM_PORT_OPTION:
            self._tell_modem_state()

    def _tell_modem_state(self) -> None:
        """Tell it once, at the first sign of a client that knows the option: pyserial's raises when it never comes.

        That client takes an offer for an answer to its own, if the offer comes first, and then sends requests only.
        """
        if not self._modem_state_told:
            self._modem_state_told = True
            self._answer(Request.NOTIFY_MODEMSTATE, bytes([MODEM_STATE]))

    def _agree(self, asked: Negotiation, agreed: set[int], wish: Verb, replies: tuple[Verb, Verb]) -> None:
        yes, no = replies
        if asked.verb == wish and asked.option not in OPTIONS:
            self._answers += negotiate(no, asked.option)
        elif asked.verb == wish and asked.option not in agreed:
            agreed.add(asked.option)
            self._answers += negotiate(yes, asked.option)
        elif asked.verb != wish and asked.option in agreed:
            agreed.discard(asked.option)
            self._answers += negotiate(no, asked.option)

    def _request(self, subnegotiation: Subnegotiation) -> list[Event]:
        if subnegotiation.option != COM_PORT_OPTION or not subnegotiation.payload:
            return []
        self._tell_modem_state()
        code, value = subnegotiation.payload[0], subnegotiation.payload[1:]
        if code not in Request.__members__.values():
            return []
        return self._handle(Request(code), value)

    def _handle(self, request: Request, value: bytes) -> list[Event]:
        if request is Request.SET_BAUDRATE:
            return self._set_baud(value)
        if request is Request.SET_CONTROL:
            return self._set_control(value)
        if request is Request.PURGE_DATA:
            return self._purge(value)
        if request in (Request.FLOWCONTROL_SUSPEND, Request.FLOWCONTROL_RESUME):
            return [Suspended(request is Request.FLOWCONTROL_SUSPEND)]
        self._answer(request, self._state(request, value))
        return []

    def _state(self, request: Request, value: bytes) -> bytes:
        """Set what `request` sets, if it does, and return what holds now."""
        if request is Request.SIGNATURE:
            return SIGNATURE_TEXT
        if request is Request.NOTIFY_LINESTATE:
            return bytes([LINE_STATE])
        if request is Request.NOTIFY_MODEMSTATE:
            return bytes([MODEM_STATE])
        settings = self._format if request in self._format else self._masks
        if value and (
            value[0] or settings is self._masks
        ):  # 0 asks for a format, but is a mask like any other
            settings[request] = value[0]
        return bytes([settings[request]])

    def _set_baud(self, value: bytes) -> list[Event]:
        baud = int.from_bytes(value[:4], "big")
        changed = 0 < baud <= MAX_BAUD and baud != self.baud
        if changed:
            self.baud = baud
        self._answer(Request.SET_BAUDRATE, struct.pack(">I", self.baud))
        return [BaudSet(self.baud)] if changed else []

    def _set_control(self, value: bytes) -> list[Event]:
        code = value[0] if value else FLOW_OUTBOUND_QUERY
        events = self._set_line(code)
        self._set_flow(code)
        answers = {
            Control.BREAK_QUERY: Control.BREAK_ON if self.line_break else Control.BREAK_OFF,
            Control.DTR_QUERY: Control.DTR_ON if self.dtr else Control.DTR_OFF,
            Control.RTS_QUERY: Control.RTS_ON if self.rts else Control.RTS_OFF,
            **self._flow,
        }
        self._answer(Request.SET_CONTROL, bytes([answers.get(code, code)]))
        return events

    def _set_line(self, code: int) -> list[Event]:
        if code in (Control.BREAK_ON, Control.BREAK_OFF):
            self.line_break = code == Control.BREAK_ON
            return [BreakSet(self.line_break)]
        if code in (Control.DTR_ON, Control.DTR_OFF):
            self.dtr = code == Control.DTR_ON
        elif code in (Control.RTS_ON, Control.RTS_OFF):
            self.rts = code == Control.RTS_ON
        else:
            return []
        return [LinesSet(self.dtr, self.rts)]

    def _set_flow(self, code: int) -> None:
        """Remember the flow control asked for; this line needs none, so nothing comes of it."""
        if code in FLOW_OUTBOUND:
            self._flow[FLOW_OUTBOUND_QUERY] = code
        elif code in FLOW_INBOUND:
            self._flow[FLOW_INBOUND_QUERY] = code

    def _purge(self, value: bytes) -> list[Event]:
        self._answer(Request.PURGE_DATA, value)
        which = value[0] if value else 0
        return [Purged(inbound=bool(which & 1), outbound=bool(which & 2))] if which in (1, 2, 3) else []

    def _answer(self, request: Request, value: bytes) -> None:
        self._answers += subnegotiate(COM_PORT_OPTION, bytes([request + SERVER_OFFSET]) + value)
