"""The only file that knows mpremote: files of a board through MicroPython's raw REPL, on a port of ours.

Getting there stops the program on the board; leaving restarts it. mpremote opens ports its own way and prints what it
cannot make sense of, so it is given an open port and no words.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mpremote import transport_serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial import SerialException

from dispctl.adapters.port import close_port, open_port
from dispctl.errors import BoardNotFoundError, BoardRefusedError, BoardSilentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispctl.adapters.port import SerialPort

PROMPT = b">>> "
INTERRUPT = b"\r\x03"
LEAVE_RAW_REPL = b"\x02"
ATTEMPTS = 3
PROMPT_TIMEOUT_S = 2.5
"""Longer than the two seconds in which the firmware takes a second Ctrl-C for insistence and stops a pour."""
POUR_REFUSAL_WORDS = "Ctrl-C recusado"
"""How the firmware answers the first Ctrl-C during a pour."""
READ_CHUNK_BYTES = 512
_NO_MICROPYTHON = {
    b"waiting for download": "The board waits in its bootloader; press its reset button.",
    b"invalid header": "The board's flash is empty; write the firmware: dispctl flash.",
}
_RESTART = "import machine\nmachine.reset()"
_FOLDER_BIT = 0x4000
_NEW_SUFFIX = "~"
_LOG_TIMEOUT_S = 0.05


def _say_nothing(*_words: Any, **_how: Any) -> None:
    """Failures come as exceptions; printing would also mix with what other threads say."""


transport_serial.print = _say_nothing


class _OpenPortTransport(SerialTransport):  # type: ignore[misc]
    """mpremote's transport on a port that is already open."""

    def __init__(self, port: SerialPort) -> None:
        self.serial = port
        self.device_name = port.name
        self.in_raw_repl = False
        self.use_raw_paste = True
        self.mounted = False
        self.is_pty = False


class ReplSession:
    """A board at its raw REPL; made by `open_repl`."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._restarted = False

    def run(self, code: str) -> str:
        """What `code` prints; names that it defines stay for the next. Raises BoardSilentError when it fails."""
        with _translated():
            return bytes(self._transport.exec(code)).decode()

    def names(self) -> list[str]:
        """The files of the root folder, without folders."""
        with _translated():
            entries = self._transport.fs_listdir("/")
        return [entry.name for entry in entries if not entry.st_mode & _FOLDER_BIT]

    def read_file(self, path: str) -> bytes:
        """The contents of `path`; raises FileNotFoundError when it is not there."""
        with _translated():
            return bytes(self._transport.fs_readfile(path, chunk_size=READ_CHUNK_BYTES))

    def remove_file(self, path: str) -> None:
        """Remove `path`; raises FileNotFoundError when it is not there."""
        with _translated():
            self._transport.fs_rmfile(path)

    def replace_file(self, path: str, contents: bytes) -> None:
        """Write `path` whole: a cut leaves the old contents or the new ones."""
        new = f"{path}{_NEW_SUFFIX}"
        with _translated():
            self._transport.fs_writefile(new, contents, chunk_size=READ_CHUNK_BYTES)
            self._transport.exec(f"import os\nos.rename({new!r},{path!r})")

    def mac(self) -> str:
        """The chip's MAC, as ``24:6f:28:d1:5c:01``."""
        with _translated():
            unique_id: bytes = self._transport.eval("__import__('machine').unique_id()")
        return ":".join(f"{byte:02x}" for byte in unique_id)

    def restart(self) -> SerialPort:
        """Reset the chip from its own side, so that its program runs again; returns the port, for its log.

        It is done once; the session is over.
        """
        if not self._restarted:
            self._restarted = True
            with _translated():
                self._transport.exec_raw_no_follow(_RESTART)
        self._transport.serial.timeout = _LOG_TIMEOUT_S
        port: SerialPort = self._transport.serial
        return port


@contextmanager
def open_repl(port_name: str) -> Iterator[ReplSession]:
    """Stop the program on the board and hand out its files; it is restarted at the end of the block, whatever happens.

    Raises the errors of `open_port`, BoardRefusedError when the firmware does not let itself be stopped because it
    pours, BoardSilentError when no prompt comes.
    """
    port = open_port(port_name, timeout_s=5.0)
    try:
        _interrupt(port)
        transport = _OpenPortTransport(port)
        with _translated():
            transport.enter_raw_repl(soft_reset=False)
        session = ReplSession(transport)
        try:
            yield session
        finally:
            session.restart()
    finally:
        close_port(port)


def _interrupt(port: SerialPort) -> None:
    """Bring the board to its friendly prompt."""
    seen = b""
    for _ in range(ATTEMPTS):
        with _translated():
            port.write(INTERRUPT)
            seen = _read_until_prompt(port)
            if seen.endswith(PROMPT):
                return
            if POUR_REFUSAL_WORDS.encode() in seen:
                raise BoardRefusedError(
                    "The board does not let itself be stopped: it is pouring.",
                    hint="Wait for the end of the job.",
                )
            if any(words in seen for words in _NO_MICROPYTHON):
                break
            port.write(LEAVE_RAW_REPL)
    raise BoardSilentError("No MicroPython prompt came.", hint=_why_no_prompt(seen))


def _read_until_prompt(port: SerialPort) -> bytes:
    seen = b""
    deadline = time.monotonic() + PROMPT_TIMEOUT_S
    timeout_s, port.timeout = port.timeout, 0.05
    while time.monotonic() < deadline and not seen.endswith(PROMPT):
        seen += port.read(max(1, port.in_waiting))
    port.timeout = timeout_s
    return seen


def _why_no_prompt(seen: bytes) -> str:
    for words, hint in _NO_MICROPYTHON.items():
        if words in seen:
            return hint
    return (
        "Its program cannot be stopped, or it does not start: dispctl inspect-flash --via rom looks into it, dispctl flash "
        "writes it anew."
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Turns mpremote's and pyserial's failures into ours; errors of files on the board stay `OSError`."""
    try:
        yield
    except TransportExecError as error:
        last = (error.error_output or "").strip().split("\n")[-1]
        raise BoardSilentError(f"MicroPython failed on the board: {last}.") from error
    except TransportError as error:
        raise BoardSilentError(f"Talking to MicroPython broke down: {error}.") from error
    except SerialException as error:
        raise BoardNotFoundError(
            f"The connection was lost: {error}.", hint="Plug the board in again, then repeat the command."
        ) from error
