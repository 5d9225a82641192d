"""Serial ports through pyserial: found by name, opened without resetting the board, closed the same way.

Knows nothing of what the board says. On the usual two-transistor circuit the board is held in reset while RTS is
asserted and DTR is not, so no step here passes through that pair of levels.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import serial
from serial.tools import list_ports

from dispctl.adapters.aliases import user_aliases
from dispctl.adapters.port_holders import Holder, holders_of_address, holders_of_device
from dispctl.adapters.rfc2217_port import Rfc2217Port
from dispctl.errors import BoardNotFoundError, PortBusyError, UsageError

DEFAULT_BAUD = 115_200
SIMULATOR_PREFIX = "sim:"
BRIDGES = {
    (0x10C4, None): "CP210x",
    (0x1A86, None): "CH340/CH9102",
    (0x0403, None): "FTDI",
    (0x067B, None): "PL2303",
    (0x303A, 0x1001): "Espressif USB-Serial/JTAG",
    (0x303A, None): "Espressif",
}
"""USB vendor (and product) numbers of the bridges that ESP32 boards carry."""


class SerialPort(Protocol):
    """What the rest of the tool uses of a pyserial port."""

    name: str
    timeout: float | None
    baudrate: int
    dtr: bool
    rts: bool

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""

    def read(self, size: int = 1) -> bytes:
        """Up to `size` bytes, fewer when `timeout` seconds passed first."""

    def write(self, data: bytes) -> int | None:
        """Send `data`; blocks while the line is full."""

    def reset_input_buffer(self) -> None:
        """Drop what has come in and was not read."""

    def close(self) -> None:
        """Give the port back."""


@dataclass(frozen=True)
class FoundPort:
    """A serial port of this machine."""

    path: str
    usb_vendor: int | None
    usb_product: int | None
    usb_serial: str | None
    bridge: str | None
    description: str
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class VirtualBoard:
    """A running virtual board, as its registry entry tells."""

    name: str
    pid: int
    cable: str
    control: str
    flash: str


def simulator_directory() -> Path:
    """Where running virtual boards register; ``DISPCTL_SIM_DIR`` moves it."""
    from platformdirs import user_runtime_path

    moved = os.environ.get("DISPCTL_SIM_DIR")
    if moved:
        return Path(moved)
    with warnings.catch_warnings():  # of a session without XDG_RUNTIME_DIR, where a fixed folder does as well
        warnings.simplefilter("ignore")
        return user_runtime_path("dispctl") / "sim"


def running_virtual_boards() -> list[VirtualBoard]:
    """Every registered virtual board whose process lives, by name; unreadable entries are left out."""
    boards = []
    for entry in sorted(simulator_directory().glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):  # removed or being replaced meanwhile
            fields = json.loads(entry.read_text())
            board = VirtualBoard(**{name: fields[name] for name in VirtualBoard.__dataclass_fields__})
            if _is_alive(board.pid):
                boards.append(board)
    return boards


def serial_ports() -> list[FoundPort]:
    """Every serial port of this machine that has a device behind it, by path."""
    found = (port for port in list_ports.comports() if port.vid is not None or port.hwid != "n/a")
    return [_found(port) for port in sorted(found, key=lambda port: str(port.device))]


def resolve(name: str) -> str:
    """The concrete pyserial name for `name`: ``auto``, ``sim:``, ``sim:NAME``, an alias, a path or an address.

    Raises BoardNotFoundError when nothing is there, UsageError when ``auto`` or ``sim:`` could mean several, and the
    errors of `board_finder.find` for an alias.
    """
    if not name:
        raise UsageError("The port's name is empty.", hint=_known_ports_hint())
    if name == "auto":
        return _only(candidates(), "board", "Connect the board, or start a virtual one: dispctl sim run.")
    if name.startswith(SIMULATOR_PREFIX):
        return _virtual_cable(name[len(SIMULATOR_PREFIX) :])
    if "/" not in name and (mac := user_aliases().mac_of(name)):
        from dispctl.adapters import board_finder  # which opens ports

        return board_finder.find(name, mac, candidates())
    if name.startswith("/") and not Path(name).exists():
        raise BoardNotFoundError(f"There is no port {name}.", hint=_known_ports_hint())
    return name


def candidates() -> list[tuple[str, str]]:
    """Where boards may be, what ``auto`` chooses from: (name to choose it by, concrete name)."""
    return [
        *((port.path, port.path) for port in serial_ports() if port.bridge),
        *((f"{SIMULATOR_PREFIX}{board.name}", board.cable) for board in running_virtual_boards()),
    ]


def open_port(name: str, *, baud: int = DEFAULT_BAUD, timeout_s: float | None = 0.1) -> SerialPort:
    """Open the port at `baud` without resetting the board; reads return after `timeout_s` at the latest.

    Raises BoardNotFoundError (nothing there, or no permission) and PortBusyError (with the process that holds it).
    """
    concrete = resolve(name)
    port = _unopened(concrete)
    port.baudrate = baud
    port.timeout = timeout_s
    try:
        _open_quietly(port)
    except (serial.SerialException, OSError) as error:
        raise _open_failure(concrete, error) from error
    except ValueError as error:
        raise UsageError(f"{concrete} cannot be opened at {baud} baud: {error}.") from error
    opened: SerialPort = port
    return opened


def close_port(port: SerialPort) -> None:
    """Close without a reset: RTS is released first, then DTR."""
    with suppress(OSError):  # unplugged, or a line without DTR and RTS
        port.rts = False
        port.dtr = False
    with suppress(OSError):
        port.close()


def holders(name: str) -> list[Holder]:
    """The other processes that hold the concrete port `name`, as far as this system tells."""
    if "://" not in name:
        return holders_of_device(name)
    address = urlsplit(name)
    return holders_of_address(address.hostname or "", address.port or 0)


def _unopened(name: str) -> Any:
    try:
        if name.startswith("rfc2217://"):
            port = Rfc2217Port()
            port.port = name
            return port
        return serial.serial_for_url(name, do_not_open=True, exclusive=True)
    except (ValueError, serial.SerialException) as error:
        raise UsageError(f"{name} is not a port: {error}.", hint=_known_ports_hint()) from error


def _open_quietly(port: Any) -> None:
    if sys.platform == "win32":
        # Some drivers set DTR and RTS one after the other on opening: release both, open, assert DTR first.
        port.dtr = port.rts = False
        port.open()
        port.dtr = True
        port.rts = True
    else:
        port.open()


def _open_failure(name: str, error: OSError) -> BoardNotFoundError | PortBusyError:
    number = getattr(error, "errno", None)
    if number in {errno.EACCES, errno.EPERM} and not _is_windows_busy(error):
        return BoardNotFoundError(f"You may not open {name}.", hint=_permission_hint(name))
    if number in {errno.EBUSY, errno.EAGAIN} or _is_windows_busy(error):
        return _busy(name, holders(name))
    if "://" in name:
        held_by = holders(name)
        return _busy(name, held_by) if held_by else _no_answer(name)
    if "Could not configure port" in str(error):
        return BoardNotFoundError(f"{name} is not a serial port.", hint=_known_ports_hint())
    reason = os.strerror(number) if number else str(error)
    return BoardNotFoundError(f"{name} cannot be opened: {reason}.", hint=_known_ports_hint())


def _busy(name: str, held_by: list[Holder]) -> PortBusyError:
    who = " and ".join(str(holder) for holder in held_by) or "another program"
    return PortBusyError(f"{name} is in use by {who}.", hint="End that program, then try again.")


def _no_answer(name: str) -> BoardNotFoundError:
    return BoardNotFoundError(
        f"No serial port answers at {name}.", hint="Check the address, and that the other side serves it."
    )


def _is_windows_busy(error: OSError) -> bool:
    return sys.platform == "win32" and "PermissionError" in str(error)


def _permission_hint(name: str) -> str:
    if sys.platform != "linux":
        return "Ask for access to the port."
    import grp

    try:
        group = grp.getgrgid(Path(name).stat().st_gid).gr_name
    except (OSError, KeyError):
        return "Ask for access to the port."
    return f"Join its group, then log in again: sudo usermod -aG {group} $USER"


def _virtual_cable(name: str) -> str:
    boards = [(f"{SIMULATOR_PREFIX}{board.name}", board.cable) for board in running_virtual_boards()]
    wanted = [board for board in boards if not name or board[0] == f"{SIMULATOR_PREFIX}{name}"]
    what = f"virtual board named {name}" if name else "virtual board"
    running = ", ".join(board[0] for board in boards)
    hint = f"Running: {running}." if running else "Start one: dispctl sim run."
    return _only(wanted, what, hint)


def _only(choices: list[tuple[str, str]], what: str, hint: str) -> str:
    if not choices:
        raise BoardNotFoundError(f"No {what} was found.", hint=hint)
    if len(choices) > 1:
        names = ", ".join(name for name, _ in choices)
        raise UsageError(f"There are several boards: {names}.", hint="Choose one with --port.")
    return choices[0][1]


def _known_ports_hint() -> str:
    names = [port.path for port in serial_ports()]
    names += [f"{SIMULATOR_PREFIX}{board.name}" for board in running_virtual_boards()]
    return f"There are: {', '.join(names)}." if names else "No serial port was found. Is the board connected?"


def _found(port: Any) -> FoundPort:
    return FoundPort(
        path=str(port.device),
        usb_vendor=port.vid,
        usb_product=port.pid,
        usb_serial=port.serial_number,
        bridge=BRIDGES.get((port.vid, port.pid)) or BRIDGES.get((port.vid, None)),
        description=str(port.description or ""),
        holders=tuple(holders_of_device(str(port.device))),
    )


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":  # where signal 0 is Ctrl-C, and where the virtual board does not run
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
