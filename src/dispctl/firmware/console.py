"""The serial line: log lines out, control lines, Improv frames and Ctrl-C in. Knows the formats, not what is meant.

The byte 0x03 is Ctrl-C, but inside an Improv frame, where it is data like any other.
"""

from .control_lines import MAX_REQUEST_BYTES
from .improv import HEADER, FrameError, FrameReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .parts import Serial

_CTRL_C = 3
_READ_BUDGET_BYTES = 256  # read in one go: garbage on the line must not keep a jar open
_LINE_ENDS = b"\r\n"
_HEADER_END = HEADER[-1]


class Console:
    """Each line goes out as one write. `on_line` takes every line that came in, without its end.

    `on_frame` takes every Improv frame's type and data, or None for a damaged one.
    """

    def __init__(self, serial: "Serial") -> None:
        self._serial = serial
        self._line = bytearray()
        self._too_long = False
        self._frame: FrameReader | None = None
        self.on_line: Callable[[bytes], None] = _ignore
        self.on_frame: Callable[[tuple[int, bytes] | None], None] = _ignore
        self.on_ctrl_c: Callable[[], None] = _stop

    def log(self, tag: str, text: str) -> None:
        """One line of the log, tag first."""
        self.write_line(f"[{tag}] {text}")

    def write_line(self, line: str) -> None:
        """One line as it is; CR LF is added."""
        self._serial.write(line.encode() + b"\r\n")

    def write_raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._serial.write(data)

    def drop_stalled_frame(self, known_bytes: int) -> int:
        """How much of a frame is here; one that has not grown beyond `known_bytes` is given up, and Ctrl-C is one again."""
        frame_bytes = len(self._frame) + 1 if self._frame is not None else 0
        if frame_bytes and frame_bytes == known_bytes:
            self._frame = None
            return 0
        return frame_bytes

    def wait(self, duration_ms: int) -> None:
        """Serve what comes in for up to `duration_ms`; returns early after something came."""
        if self._serial.wait(duration_ms):
            self.service()

    def service(self) -> None:
        """Take what has come in, up to a budget. `on_line` and `on_ctrl_c` are called from here."""
        for _ in range(_READ_BUDGET_BYTES):
            byte = self._serial.read()
            if byte < 0:
                return
            if self._frame is not None:
                self._continue_frame(self._frame, byte)
            elif byte == _CTRL_C:
                self.on_ctrl_c()
            elif byte in _LINE_ENDS:
                self._end_line()
            else:
                self._continue_line(byte)

    def _continue_line(self, byte: int) -> None:
        if len(self._line) < MAX_REQUEST_BYTES:
            self._line.append(byte)
        else:
            self._too_long = True
        if byte == _HEADER_END and self._line[-len(HEADER) :] == HEADER:
            self._line = bytearray()
            self._too_long = False
            self._frame = FrameReader()

    def _continue_frame(self, reader: FrameReader, byte: int) -> None:
        try:
            frame = reader.take(byte)
        except FrameError:
            self._frame = None
            self.on_frame(None)
            return
        if frame is not None:
            self._frame = None
            self.on_frame(frame)

    def _end_line(self) -> None:
        line, too_long = bytes(self._line), self._too_long
        self._line = bytearray()
        self._too_long = False
        if line:
            self.on_line(line + b"..." if too_long else line)


def _ignore(_what: object) -> None:
    pass


def _stop() -> None:
    raise KeyboardInterrupt
