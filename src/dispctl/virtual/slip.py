"""SLIP framing (RFC 1055) as Espressif's loaders use it: every frame begins and ends with END; no I/O."""

from __future__ import annotations

END = 0xC0
ESC = 0xDB
ESC_END = 0xDC
ESC_ESC = 0xDD

_DELIMITER = bytes([END])


class SlipReader:
    """Cuts a stream of bytes, in pieces of any size, into frames.

    What comes outside of a frame, a frame with an escape that means nothing and one longer than `max_length` bytes
    (before unescaping) are dropped.
    """

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self._buffer = bytearray()
        self._inside = False

    def feed(self, data: bytes) -> list[bytes]:
        """The contents of the frames that `data` completes, in order; empty frames are left out."""
        frames: list[bytes] = []
        *ended, rest = data.split(_DELIMITER)
        for piece in ended:
            self._take(piece)
            if self._buffer:
                frames += _unescape(bytes(self._buffer))
                self._buffer.clear()
                self._inside = False
            else:
                self._inside = True
        self._take(rest)
        return frames

    def _take(self, piece: bytes) -> None:
        if not self._inside:
            return
        self._buffer += piece
        if len(self._buffer) > self._max_length:
            self._buffer.clear()
            self._inside = False


def encode(frame: bytes) -> bytes:
    """`frame` for the line, with END before and after it."""
    escaped = frame.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return _DELIMITER + escaped + _DELIMITER


def _unescape(escaped: bytes) -> list[bytes]:
    """The one frame that `escaped` stands for, or none if an escape in it is not one of the two."""
    first, *pieces = escaped.split(bytes([ESC]))
    frame = bytearray(first)
    for piece in pieces:
        if piece[:1] == bytes([ESC_END]):
            frame.append(END)
        elif piece[:1] == bytes([ESC_ESC]):
            frame.append(ESC)
        else:
            return []
        frame += piece[1:]
    return [bytes(frame)]
