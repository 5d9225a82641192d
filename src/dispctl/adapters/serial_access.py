"""What Linux says of serial ports: who may open them, which bridges got none, which programs take them away.

Other systems let everybody open a port and load drivers by themselves: there nothing is found. Opens no port.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BRIDGE_MODULES = {"10c4": "cp210x", "1a86": "ch341", "0403": "ftdi_sio", "067b": "pl2303", "303a": "cdc_acm"}
"""USB vendors of the bridges on ESP32 boards, and the kernel module that makes a port of each."""

DISTURBERS = {
    "ModemManager": "it types into new ports: sudo systemctl disable --now ModemManager",
    "brltty": "it takes CH340 bridges for Braille displays: remove the package brltty",
}
SYS, PROC = Path("/sys"), Path("/proc")


@dataclass(frozen=True)
class Denied:
    """A port that this user may not open; `in_group_after_login` if only the session does not know it yet."""

    path: str
    group: str
    in_group_after_login: bool


def denied(path: str) -> Denied | None:
    """Why the port at `path` cannot be opened by this user; None if it can."""
    if sys.platform == "win32" or os.access(path, os.R_OK | os.W_OK):
        return None
    import grp
    import pwd

    number = Path(path).stat().st_gid
    try:
        group = grp.getgrgid(number)
    except KeyError:
        return Denied(path, str(number), in_group_after_login=False)
    return Denied(path, group.gr_name, pwd.getpwuid(os.getuid()).pw_name in group.gr_mem)


def bridges_without_port(system: Path = SYS) -> list[str]:
    """Kernel modules of the USB bridges that are plugged in and have no port."""
    missing = []
    for device in sorted((system / "bus/usb/devices").glob("*")):
        with suppress(OSError):
            module = BRIDGE_MODULES.get((device / "idVendor").read_text().strip())
            if module and not any(device.glob("*/tty*")) and not any(device.glob("*/tty/tty*")):
                missing.append(module)
    return missing


def disturbers(processes: Path = PROC) -> dict[str, str]:
    """Running programs that take ports away, each with what to do."""
    running = set()
    for name in processes.glob("[0-9]*/comm"):
        with suppress(OSError):
            running.add(name.read_text().strip())
    return {program: advice for program, advice in DISTURBERS.items() if program in running}
