"""The client's side of Telnet as RFC 2217 needs it: bytes in, data and COM-PORT answers out. No sockets, no waiting.

RFC 854 and 855 (commands, negotiation), RFC 2217 (COM-PORT-OPTION).
"""

from __future__ import annotations

from dataclasses import dataclass, field

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, ECHO, SUPPRESS_GO_AHEAD, COM_PORT = 0, 1, 3, 44
ANSWER = 100
"""What the other side adds to the number of a COM-PORT command in its answer."""

_OURS = frozenset({BINARY, SUPPRESS_GO_AHEAD, COM_PORT})
_THEIRS = _OURS | {ECHO}
_MAX_SUBNEGOTIATION = 256


@dataclass
class Received:
    """What a stretch of the stream held: `data` of the line, `replies` to send back, (number, value) of `answers`."""

    data: bytearray = field(default_factory=bytearray)
    replies: bytearray = field(default_factory=bytearray)
    answers: list[tuple[int, bytes]] = field(default_factory=list)


class TelnetClient:
    """One connection's state; `opening` is what the client says first."""

    _OFFERS = (
        (WILL, COM_PORT),
        (WILL, BINARY),
        (DO, BINARY),
        (WILL, SUPPRESS_GO_AHEAD),
        (DO, SUPPRESS_GO_AHEAD),
    )
    opening = b"".join(bytes((IAC, *offer)) for offer in _OFFERS)

    def __init__(self) -> None:
        self._rest = b""
        self._unanswered = set(self._OFFERS)
        self._active: dict[tuple[int, int], bool] = {}

    @property
    def accepted(self) -> bool | None:
        """Whether the other side takes COM-PORT commands; None while it has not said so."""
        return self._active.get((WILL, COM_PORT))

    def receive(self, data: bytes) -> Received:
        """Take in what came; an unfinished command waits for the rest of it."""
        stream = self._rest + data
        received = Received()
        position = 0
        while (command := stream.find(IAC, position)) >= 0:
            received.data += stream[position:command]
            taken = self._command(stream, command, received)
            if not taken:
                self._rest = stream[command:]
                return received
            position = command + taken
        self._rest = b""
        received.data += stream[position:]
        return received

    def _command(self, stream: bytes, start: int, received: Received) -> int:
        """Obey the command that begins at `start`; returns its length, 0 while it is not all there."""
        if start + 1 >= len(stream):
            return 0
        kind = stream[start + 1]
        if kind == IAC:
            received.data.append(IAC)
            return 2
        if kind == SB:
            return self._subnegotiation(stream, start, received)
        if kind not in {WILL, WONT, DO, DONT}:
            return 2
        if start + 2 >= len(stream):
            return 0
        self._negotiate(kind, stream[start + 2], received)
        return 3

    def _negotiate(self, kind: int, option: int, received: Received) -> None:
        """Agree to what is supported. Answers to our own offers, and what is no change, get no reply: it would go on."""
        is_about_us = kind in {DO, DONT}
        offer, refusal = (WILL, WONT) if is_about_us else (DO, DONT)
        is_asked = kind in {DO, WILL}
        is_agreed = is_asked and option in (_OURS if is_about_us else _THEIRS)
        was_active = self._active.get((offer, option), False)
        self._active[offer, option] = is_agreed
        if (offer, option) in self._unanswered:
            self._unanswered.remove((offer, option))
        elif is_agreed != was_active or (is_asked and not is_agreed):
            received.replies += bytes((IAC, offer if is_agreed else refusal, option))

    def _subnegotiation(self, stream: bytes, start: int, received: Received) -> int:
        position = start + 2
        while (end := stream.find(IAC, position)) >= 0 and end + 1 < len(stream):
            if stream[end + 1] == SE:
                body = stream[start + 2 : end].replace(bytes((IAC, IAC)), bytes((IAC,)))
                if len(body) > 1 and body[0] == COM_PORT:
                    received.answers.append((body[1], body[2:]))
                return end + 2 - start
            position = end + 2
        return 2 if len(stream) - start > _MAX_SUBNEGOTIATION else 0


def escape(data: bytes) -> bytes:
    """Data of the line as it goes into the stream."""
    return data.replace(bytes((IAC,)), bytes((IAC, IAC)))


def com_port_command(number: int, value: bytes) -> bytes:
    """A COM-PORT command of RFC 2217."""
    return bytes((IAC, SB, COM_PORT, number)) + escape(value) + bytes((IAC, SE))
