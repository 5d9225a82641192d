"""A USB port found again under another number."""

from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from dispctl.adapters.usb_identity import UsbIdentity

BRIDGE = (0x10C4, 0xEA60)


def plug(monkeypatch: pytest.MonkeyPatch, **ports: tuple[str | None, str | None]) -> None:
    """Let the system have these ports: path to serial number and socket."""
    found = [
        SimpleNamespace(
            device=f"/dev/{name}", vid=BRIDGE[0], pid=BRIDGE[1], serial_number=serial, location=socket
        )
        for name, (serial, socket) in ports.items()
    ]
    found.append(SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None, location=None))
    monkeypatch.setattr(list_ports, "comports", lambda: found)


def test_the_socket_tells_boards_apart_that_share_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, ttyUSB0=("0001", "1-1"), ttyUSB1=("0001", "1-2"))
    identity = UsbIdentity.of("/dev/ttyUSB1")
    assert identity is not None
    plug(monkeypatch, ttyUSB2=("0001", "1-2"), ttyUSB1=("0001", "1-1"))
    assert identity.present_path() == "/dev/ttyUSB2"


def test_a_number_of_its_own_is_known_in_another_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, ttyUSB0=("A7", "1-1"), ttyUSB1=("B8", "1-2"))
    identity = UsbIdentity.of("/dev/ttyUSB0")
    assert identity is not None
    plug(monkeypatch, ttyUSB3=("A7", "2-4"), ttyUSB1=("B8", "1-2"))
    assert identity.present_path() == "/dev/ttyUSB3"


@pytest.mark.parametrize("serial", ["0001", None])
def test_where_it_cannot_be_told_nothing_is_guessed(
    monkeypatch: pytest.MonkeyPatch, serial: str | None
) -> None:
    plug(monkeypatch, ttyUSB0=(serial, "1-1"))
    identity = UsbIdentity.of("/dev/ttyUSB0")
    assert identity is not None
    plug(monkeypatch, ttyUSB1=(serial, "1-2"), ttyUSB2=(serial, "1-3"))
    assert identity.present_path() is None
    plug(monkeypatch)
    assert identity.present_path() is None


def test_what_is_no_usb_port_has_no_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch)
    assert UsbIdentity.of("/dev/ttyS0") is None
