"""The serial ports of this machine and the running virtual boards: who holds each, which board is there, its name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispctl.adapters import port
from dispctl.adapters.aliases import is_mac, normal_mac, user_aliases


@dataclass(frozen=True)
class ListedPort:
    """One place where a board may be; numbers and names are None where there are none, or nobody asked."""

    port: str
    usb_id: str | None
    usb_serial: str | None
    bridge: str | None
    mac: str | None
    alias: str | None
    held_by: tuple[str, ...]
    virtual: bool


def list_ports(*, identify: bool = False) -> list[ListedPort]:
    """Serial ports by path, then virtual boards by name; `identify` asks the firmware on each for its MAC."""
    listed = [
        *(_real(found) for found in port.serial_ports()),
        *(_virtual(board) for board in port.running_virtual_boards()),
    ]
    return [_identified(found) for found in listed] if identify else listed


def name_board(name: str, where: str) -> str:
    """Let `name` stand for the board at `where`, a port or a MAC; returns the MAC.

    A board whose firmware does not tell its MAC is asked through its bootloader, which resets it. Raises UsageError for
    a name that a port could have, and the errors of the port and the bootloader.
    """
    mac = normal_mac(where) if is_mac(where) else _mac_at(where)
    user_aliases().save(name, mac)
    return mac


def _mac_at(where: str) -> str:
    from dispctl.adapters.board_finder import ask_mac

    concrete = port.resolve(where)
    mac = ask_mac(concrete)
    if mac is not None:
        return mac
    from dispctl.adapters import rom

    with rom.connect(concrete, baud=port.DEFAULT_BAUD) as session:
        session.reset()
        return session.mac


def _identified(found: ListedPort) -> ListedPort:
    from dispctl.adapters.board_finder import ask_mac

    mac = None if found.held_by else ask_mac(found.port)
    return replace(found, mac=mac, alias=user_aliases().name_of(mac) if mac else None)


def _real(found: port.FoundPort) -> ListedPort:
    usb_id = f"{found.usb_vendor:04x}:{found.usb_product:04x}" if found.usb_vendor is not None else None
    held_by = tuple(str(holder) for holder in found.holders)
    return ListedPort(found.path, usb_id, found.usb_serial, found.bridge, None, None, held_by, virtual=False)


def _virtual(board: port.VirtualBoard) -> ListedPort:
    held_by = tuple(str(holder) for holder in port.holders(board.cable))
    name = f"{port.SIMULATOR_PREFIX}{board.name}"
    return ListedPort(name, None, None, board.cable, None, None, held_by, virtual=True)
