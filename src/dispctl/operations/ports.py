"""The serial ports of this machine and the running virtual boards, with who holds each."""

from __future__ import annotations

from dataclasses import dataclass

from dispctl.adapters import port


@dataclass(frozen=True)
class ListedPort:
    """One place where a board may be; numbers and names are None where there are none."""

    port: str
    usb_id: str | None
    usb_serial: str | None
    bridge: str | None
    alias: str | None
    held_by: tuple[str, ...]
    virtual: bool


def list_ports() -> list[ListedPort]:
    """Serial ports by path, then virtual boards by name."""
    return [
        *(_real(found) for found in port.serial_ports()),
        *(_virtual(board) for board in port.running_virtual_boards()),
    ]


def _real(found: port.FoundPort) -> ListedPort:
    usb_id = f"{found.usb_vendor:04x}:{found.usb_product:04x}" if found.usb_vendor is not None else None
    held_by = tuple(str(holder) for holder in found.holders)
    return ListedPort(found.path, usb_id, found.usb_serial, found.bridge, None, held_by, virtual=False)


def _virtual(board: port.VirtualBoard) -> ListedPort:
    held_by = tuple(str(holder) for holder in port.holders(board.cable))
    name = f"{port.SIMULATOR_PREFIX}{board.name}"
    return ListedPort(name, None, None, board.cable, None, held_by, virtual=True)
