"""Which USB device a serial port is, so that it is found again when the system gives it another number."""

from __future__ import annotations

from dataclasses import dataclass

from serial.tools import list_ports


@dataclass(frozen=True)
class UsbIdentity:
    """What a USB device says of itself, and the socket it is plugged into (`location`)."""

    vendor: int
    product: int
    serial: str | None
    location: str | None

    @classmethod
    def of(cls, path: str) -> UsbIdentity | None:
        """That of the port at `path`; None for what is no USB port."""
        return next((identity for found, identity in _usb_ports() if found == path), None)

    def present_path(self) -> str | None:
        """Where the device is now; None while it is unplugged.

        The socket tells it apart, as many bridges share a serial number ("0001"); in another socket it is known by its
        serial number, if only one device has that.
        """
        alike = [(path, each) for path, each in _usb_ports() if each.is_like(self)]
        same_socket = [path for path, each in alike if each.location == self.location]
        if same_socket:
            return same_socket[0]
        return alike[0][0] if len(alike) == 1 and self.serial else None

    def is_like(self, other: UsbIdentity) -> bool:
        """Whether both may be the same device."""
        return (self.vendor, self.product, self.serial) == (other.vendor, other.product, other.serial)


def _usb_ports() -> list[tuple[str, UsbIdentity]]:
    return [
        (str(port.device), UsbIdentity(port.vid, port.pid, port.serial_number, port.location))
        for port in list_ports.comports()
        if port.vid is not None
    ]
