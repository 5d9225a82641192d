"""The only file that knows esptool: the chip's bootloader as an open session that reads, writes and resets.

esptool prints nothing of its own here; its progress goes to the callback of the call under way. The port is ours, so
that remote ports are not slow (see `rfc2217_port`) and a busy one is named.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from esp_pylib.logger import EspLog, EspLogBase

from dispctl.adapters.port import DEFAULT_BAUD, close_port, open_port
from dispctl.errors import BoardRefusedError, BoardSilentError, DamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dispctl.adapters.port import SerialPort

    Progress = Callable[[float], None]

CHIP = "ESP32"
BAUD_LADDER = (921_600, 460_800, 115_200)
"""What to try in turn when talking breaks down; the last is what every bootloader begins with."""

_NEVER_CONNECTED = "Failed to connect"
"""How esptool begins when all of its attempts to reach the bootloader were in vain."""
_SEE_ELSEWHERE = " This can have many causes"
_UNKNOWN_CHIP = "Failed to autodetect chip type"

_SILENCE_HINT = (
    "Check that the cable carries data (many only charge), the board's power, and the port's name."
)
_BOOT_HINT = (
    "Hold the board's BOOT button, press and release EN (RESET), let go of BOOT, then repeat the command."
)


class LineUnreliableError(BoardSilentError):
    """The bootloader was there and talking to it broke down; at a lower speed it may not."""


class _SilentLog(EspLogBase):  # type: ignore[misc]
    """Takes esptool's output; only progress goes on, to the callback of the thread that runs the command."""

    def __init__(self) -> None:
        self.of_thread = threading.local()

    def progress_bar(self, cur_iter: int, total_iters: int, *_args: Any, **_kwargs: Any) -> None:
        on_progress = getattr(self.of_thread, "on_progress", None)
        if on_progress is not None and total_iters:
            on_progress(cur_iter / total_iters)

    def _nothing(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing is printed: failures come as exceptions."""

    print = err = warn = note = hint = debug = set_verbosity = _nothing
    warning = error = _nothing  # esptool's older names


# Set before esptool is imported: it greets with what it found in the current folder's configuration.
_log = _SilentLog()
EspLog.set_logger(_log)

import esptool.cmds as esptool_commands  # noqa: E402
import esptool.loader  # noqa: E402
from esptool.util import FatalError, UnsupportedCommandError  # noqa: E402
from serial import SerialException, SerialTimeoutException  # noqa: E402


class _NoHexDump:
    """In place of esptool's formatter of traced bytes.

    It formats every byte it sends and receives, 55 ms for a block of 16 KiB, and then does not show it.
    """

    def __init__(self, _data: bytes, _auto_split: bool = True) -> None:
        pass

    def __str__(self) -> str:
        return ""


esptool.loader.HexFormatter = _NoHexDump


class RomSession:
    """A connected bootloader with esptool's stub running; made by `connect`."""

    def __init__(self, port: SerialPort, esp: Any, flash_size: int) -> None:
        self.port = port
        self.flash_size = flash_size
        """Bytes of flash, as the flash chip tells."""
        self._esp = esp
        with _translated():
            self.mac: str = ":".join(f"{byte:02x}" for byte in esp.read_mac("BASE_MAC"))

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes of flash from `offset`, checked against the chip's MD5 of them."""
        with _translated():
            return bytes(self._esp.read_flash(offset, length))

    def digest(self, offset: int, length: int) -> bytes:
        """The MD5 of a stretch of flash, made by the chip."""
        with _translated():
            return bytes.fromhex(self._esp.flash_md5sum(offset, length))

    def erase(self, offset: int, length: int) -> None:
        """Erase whole sectors; `offset` and `length` are multiples of 4096."""
        with _translated():
            self._esp.erase_region(offset, length)

    def write(self, pieces: Sequence[tuple[int, bytes]], on_progress: Progress) -> None:
        """Write (offset, bytes) pieces in their order, compressed, each verified by its MD5.

        `on_progress` gets the part done, 0 to 1. Raises DamagedError when what was written does not read back.
        """
        total = sum(len(data) for _, data in pieces) or 1
        done = 0
        for offset, data in pieces:
            with _progress_to(_scaled(on_progress, done / total, len(data) / total)), _translated():
                esptool_commands.write_flash(self._esp, [(offset, data)])
            done += len(data)
            on_progress(done / total)

    def holds(self, offset: int, data: bytes) -> bool:
        """Whether the flash already holds `data` at `offset`, without reading it."""
        return self.digest(offset, len(data)) == hashlib.md5(data, usedforsecurity=False).digest()

    def reset(self) -> SerialPort:
        """Start the program on the board; returns the port, at the console's speed, before the first byte of its log."""
        with _translated():
            self.port.timeout = 0.05
            self.port.baudrate = DEFAULT_BAUD
            self.port.reset_input_buffer()
            esptool_commands.reset_chip(self._esp, "hard-reset")
        return self.port


@contextmanager
def connect(port_name: str, *, baud: int = BAUD_LADDER[0]) -> Iterator[RomSession]:
    """Reset the board into its bootloader and talk to it at `baud`; the port is closed at the end of the block.

    Raises the errors of `open_port`; BoardSilentError when no bootloader answers, BoardRefusedError when the chip is
    not an ESP32, LineUnreliableError when talking breaks down afterwards.
    """
    port = open_port(port_name, timeout_s=3.0)
    try:
        with _translated(connecting=True):
            esp = esptool_commands.detect_chip(port)
        with _left_running(esp):
            yield _session(port, esp, baud)
    finally:
        close_port(port)


@contextmanager
def _left_running(esp: Any) -> Iterator[None]:
    """Whatever happens in the block, the board does not stay in its bootloader afterwards."""
    try:
        yield
    except BaseException:
        with suppress(FatalError, OSError):  # the cable may be what failed
            esptool_commands.reset_chip(esp, "hard-reset")
        raise


def _session(port: SerialPort, esp: Any, baud: int) -> RomSession:
    if esp.CHIP_NAME != CHIP:
        raise BoardRefusedError(
            f"The chip on {port.name} is {esp.CHIP_NAME}, not {CHIP}.",
            hint="Choose the dispenser's port with --port.",
        )
    with _translated():
        esp = esptool_commands.run_stub(esp)
        if baud != DEFAULT_BAUD:
            esp.change_baud(baud)
        esptool_commands.attach_flash(esp)
        return RomSession(port, esp, _bytes_of(esptool_commands.detect_flash_size(esp)))


def _scaled(on_progress: Progress, start: float, share: float) -> Progress:
    return lambda part: on_progress(start + part * share)


def _bytes_of(size: str | None) -> int:
    """``4MB`` as a number of bytes."""
    if size is None:
        raise LineUnreliableError("The flash chip does not say how large it is.", hint=_SILENCE_HINT)
    number, unit = int(size[:-2]), size[-2:]
    return number * (1024 * 1024 if unit == "MB" else 1024)


@contextmanager
def _progress_to(on_progress: Progress) -> Iterator[None]:
    _log.of_thread.on_progress = on_progress
    try:
        yield
    finally:
        _log.of_thread.on_progress = None


@contextmanager
def _translated(*, connecting: bool = False) -> Iterator[None]:
    """Turns esptool's and pyserial's failures into ours."""
    try:
        yield
    except UnsupportedCommandError as error:
        if connecting:  # no chip lacks what is asked then: the answer was garbled
            raise _talk_failure(error) from error
        raise BoardRefusedError(
            f"The chip's bootloader refused a command: {_first_line(error)}.", hint=_BOOT_HINT
        ) from error
    except FatalError as error:
        raise _connect_failure(error) if connecting else _talk_failure(error) from error
    except SerialTimeoutException as error:  # the far end of the cable stands and hesitates
        raise _talk_failure(error) from error
    except (SerialException, OSError) as error:
        raise BoardSilentError(
            f"The connection broke down: {_first_line(error)}.",
            hint="Plug the cable in again and repeat the command: it takes up where it was.",
        ) from error


def _connect_failure(error: Exception) -> BoardSilentError | BoardRefusedError | DamagedError:
    text = str(error)
    if _UNKNOWN_CHIP in text:
        return BoardRefusedError(
            f"The chip is none that is known here: {_first_line(error)}.",
            hint="Choose the dispenser's port with --port.",
        )
    if not text.startswith(_NEVER_CONNECTED):
        return _talk_failure(error)  # the bootloader had answered before
    if "Wrong boot mode" in text:
        return BoardSilentError("The board started its program instead of its bootloader.", hint=_BOOT_HINT)
    if "TX path" in text:
        return BoardSilentError(
            "The bootloader talks but does not hear.",
            hint="Check the wire to the board's RX pin, or try another cable.",
        )
    if "No serial data received" in text:
        return BoardSilentError("The board is silent.", hint=f"{_SILENCE_HINT} {_BOOT_HINT}")
    return BoardSilentError(f"The bootloader does not answer: {_first_line(error)}.", hint=_BOOT_HINT)


def _talk_failure(error: Exception) -> BoardSilentError | DamagedError:
    text = str(error)
    if "MD5 of file does not match" in text or "region is empty" in text:
        return DamagedError(
            "What was written does not read back from the flash.",
            hint="Repeat the command; if it fails again, the flash chip is worn out or its supply is weak.",
        )
    return LineUnreliableError(
        f"Talking to the bootloader broke down: {_first_line(error)}.",
        hint="Try a shorter cable, or a lower --baud.",
    )


def _first_line(error: Exception) -> str:
    """What it says, without esptool's reference to its own documentation and what ends a sentence."""
    return str(error).strip().split("\n", 1)[0].split(_SEE_ELSEWHERE, 1)[0].rstrip(".")
