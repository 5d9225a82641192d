"""The serial line: log lines out, control lines and Ctrl-C in. Knows the line format, not what a request means."""

from .control_lines import MAX_REQUEST_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .parts import Serial

_CTRL_C = 3
_READ_BUDGET_BYTES = 256  # read in one go: garbage on the line must not keep a jar open
_LINE_ENDS = b"\r\n"


class Console:
    """Each line goes out as one write. `on_line` takes every line that came in, without its end."""

    def __init__(self, serial: "Serial") -> None:
        self._serial = serial
        self._line = bytearray()
        self._too_long = False
        self.on_line: Callable[[bytes], None] = _ignore
        self.on_ctrl_c: Callable[[], None] = _stop

    def log(self, tag: str, text: str) -> None:
        """One line of the log, tag first."""
        self.write_line(f"[{tag}] {text}")

    def write_line(self, line: str) -> None:
        """One line as it is; CR LF is added."""
        self._serial.write(line.encode() + b"\r\n")

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
            if byte == _CTRL_C:
                self.on_ctrl_c()
            elif byte in _LINE_ENDS:
                self._end_line()
            elif len(self._line) < MAX_REQUEST_BYTES:
                self._line.append(byte)
            else:
                self._too_long = True

    def _end_line(self) -> None:
        line, too_long = bytes(self._line), self._too_long
        self._line = bytearray()
        self._too_long = False
        if line:
            self.on_line(line + b"..." if too_long else line)


def _ignore(_line: bytes) -> None:
    pass


def _stop() -> None:
    raise KeyboardInterrupt
