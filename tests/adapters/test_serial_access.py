"""What the system's own files say of ports."""

from __future__ import annotations

import grp
import os
from typing import TYPE_CHECKING

from dispctl.adapters import serial_access

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def bridge(system: Path, name: str, vendor: str) -> Path:
    device = system / "bus/usb/devices" / name
    device.mkdir(parents=True)
    (device / "idVendor").write_text(f"{vendor}\n")
    return device


def test_a_bridge_without_a_port_names_its_kernel_module(tmp_path: Path) -> None:
    bridge(tmp_path, "1-1", "1a86")
    (bridge(tmp_path, "1-2", "10c4") / "1-2:1.0" / "ttyUSB0").mkdir(parents=True)
    (bridge(tmp_path, "1-3", "303a") / "1-3:1.0" / "tty" / "ttyACM0").mkdir(parents=True)
    bridge(tmp_path, "1-4", "dead")
    (tmp_path / "bus/usb/devices" / "1-0:1.0").mkdir()
    assert serial_access.bridges_without_port(tmp_path) == ["ch341"]
    assert serial_access.bridges_without_port(tmp_path / "elsewhere") == []


def test_programs_that_take_ports_away(tmp_path: Path) -> None:
    for number, name in (("1", "init"), ("42", "ModemManager"), ("self", "brltty")):
        (tmp_path / number).mkdir()
        (tmp_path / number / "comm").write_text(f"{name}\n")
    assert list(serial_access.disturbers(tmp_path)) == ["ModemManager"]


def test_a_port_that_anybody_may_open_is_not_denied(tmp_path: Path) -> None:
    (tmp_path / "tty").touch()
    assert serial_access.denied(str(tmp_path / "tty")) is None


def test_a_denied_port_names_its_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tty").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    refused = serial_access.denied(str(tmp_path / "tty"))
    assert refused is not None
    assert refused.group == grp.getgrgid((tmp_path / "tty").stat().st_gid).gr_name
