r"""The frames of Improv Serial, both sides. Pure; knows nothing of ports or of what a command does.

A frame is ``IMPROV``, version 1, type, length, data, checksum (the sum of all bytes before it, modulo 256), and stands
alone on a line: the official JavaScript client looks for it after a line end only. That client also takes a length of
10 for a line end, so no result here has that length. See https://www.improv-wifi.com/serial.
"""

HEADER = b"IMPROV\x01"

CURRENT_STATE, ERROR_STATE, RPC, RPC_RESULT = 1, 2, 3, 4
READY, PROVISIONING, PROVISIONED = 2, 3, 4
NO_ERROR, INVALID_RPC, UNKNOWN_RPC, UNABLE_TO_CONNECT, UNKNOWN_ERROR = 0, 1, 2, 3, 0xFF
SEND_WIFI, GET_STATE, GET_INFO, SCAN, GET_NETWORK_STATE = 1, 2, 3, 4, 7

MAX_DATA_BYTES = 255
_MISREAD_LENGTH = 10
_COMMAND_HEAD_BYTES = 2  # command, length
_AROUND_DATA_BYTES = 3  # type, length, checksum


class FrameError(ValueError):
    """The bytes are no frame, or its data is not what its type says."""


def format_frame(kind: int, data: bytes) -> bytes:
    """A frame on a line of its own; `data` has at most 255 bytes."""
    frame = HEADER + bytes((kind, len(data))) + data
    return b"\n" + frame + bytes((sum(frame) & 0xFF,)) + b"\n"


def format_request(command: int, data: bytes = b"") -> bytes:
    """A command to a device; `data` has at most 253 bytes."""
    return format_frame(RPC, bytes((command, len(data))) + data)


def format_result(command: int, texts: "list[str]") -> bytes:
    """A device's answer to `command`; raises FrameError when the texts are too long for one."""
    packed = pack_texts(texts)
    if len(packed) + _COMMAND_HEAD_BYTES == _MISREAD_LENGTH:
        packed += b"\x00"  # one more text, an empty one, which no client looks at
    if len(packed) + _COMMAND_HEAD_BYTES > MAX_DATA_BYTES:
        raise FrameError("texts too long")
    return format_frame(RPC_RESULT, bytes((command, len(packed))) + packed)


def pack_texts(texts: "list[str]") -> bytes:
    """Each text in UTF-8 behind its length."""
    packed = b""
    for text in texts:
        data = text.encode()
        if len(data) > MAX_DATA_BYTES:
            raise FrameError("text too long")
        packed += bytes((len(data),)) + data
    return packed


def parse_command(data: bytes) -> "tuple[int, bytes]":
    """Command and data of an RPC, or of its result; raises FrameError when the length in it is wrong."""
    head, rest = data[:_COMMAND_HEAD_BYTES], data[_COMMAND_HEAD_BYTES:]
    if len(head) < _COMMAND_HEAD_BYTES or head[1] != len(rest):
        raise FrameError("wrong length")
    return head[0], rest


def parse_texts(data: bytes) -> "list[str]":
    """Texts behind their lengths; raises FrameError when they do not fill `data` or are no UTF-8."""
    texts = []
    index = 0
    while index < len(data):
        end = index + 1 + data[index]
        if end > len(data):
            raise FrameError("text cut short")
        try:
            texts.append(data[index + 1 : end].decode())
        except UnicodeError:
            raise FrameError("text is not UTF-8")
        index = end
    return texts


class FrameReader:
    """What follows a header, byte by byte: type, length, data, checksum."""

    def __init__(self) -> None:
        self._taken = bytearray()

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, byte: int) -> "tuple[int, bytes] | None":
        """Type and data once the last byte was taken, else None; raises FrameError when the checksum is wrong."""
        taken = self._taken
        taken.append(byte)
        if len(taken) < _AROUND_DATA_BYTES or len(taken) < taken[1] + _AROUND_DATA_BYTES:
            return None
        if (sum(HEADER) + sum(taken[:-1])) & 0xFF != taken[-1]:
            raise FrameError("wrong checksum")
        return taken[0], bytes(taken[2:-1])
