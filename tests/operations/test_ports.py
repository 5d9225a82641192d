"""The list of places where a board may be."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from serial.tools import list_ports as pyserial_ports
from serial.tools.list_ports_common import ListPortInfo
from typer.testing import CliRunner

from dispctl.cli.app import app
from dispctl.operations.ports import list_ports

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_real_ports_come_with_their_bridge_and_virtual_boards_with_their_cable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = ListPortInfo("/dev/ttyUSB0")
    usb.vid, usb.pid, usb.serial_number, usb.hwid = 0x10C4, 0xEA60, "0001", "USB"
    monkeypatch.setattr(pyserial_ports, "comports", lambda: [usb])
    monkeypatch.setenv("DISPCTL_SIM_DIR", str(tmp_path))
    cable = "rfc2217://127.0.0.1:1"
    entry = {"name": "bench", "pid": os.getpid(), "cable": cable, "control": "127.0.0.1:2", "flash": "f"}
    (tmp_path / "bench.json").write_text(json.dumps(entry))
    real, virtual = list_ports()
    assert (real.port, real.usb_id, real.bridge, real.held_by) == ("/dev/ttyUSB0", "10c4:ea60", "CP210x", ())
    assert (virtual.port, virtual.bridge, virtual.virtual) == ("sim:bench", cable, True)
    shown = CliRunner().invoke(app, ["ports"])
    assert "10c4:ea60" in shown.stdout
    assert "sim:bench" in shown.stdout


def test_nothing_connected_is_said_on_the_other_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyserial_ports, "comports", list)
    monkeypatch.setenv("DISPCTL_SIM_DIR", str(tmp_path))
    shown = CliRunner().invoke(app, ["ports", "--json"])
    assert json.loads(shown.stdout) == {"ports": []}
    assert "No port was found" in shown.stderr
