"""Finding ports by name, opening them without a reset, and saying who holds them; on pseudo-terminals."""

from __future__ import annotations

import errno
import json
import os
import pty
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from dispctl.adapters import port as port_module
from dispctl.adapters.port import (
    close_port,
    holders,
    open_port,
    resolve,
    running_virtual_boards,
    serial_ports,
    simulator_directory,
)
from dispctl.errors import BoardNotFoundError, PortBusyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

CABLE = "rfc2217://127.0.0.1:4000"
HOLD = "import serial, sys; port = serial.Serial(sys.argv[1], exclusive=True); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: the board's end and the name of the other."""
    board_end, other_end = pty.openpty()
    name = os.ttyname(other_end)
    os.close(other_end)
    yield board_end, name
    os.close(board_end)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for virtual boards, and no real ports."""
    monkeypatch.setenv("DISPCTL_SIM_DIR", str(tmp_path))
    monkeypatch.setattr(list_ports, "comports", list)
    return tmp_path


def register(folder: Path, name: str, *, pid: int | None = None, cable: str = CABLE) -> None:
    """Write the entry of a running virtual board."""
    entry = {"name": name, "pid": pid or os.getpid(), "cable": cable, "control": "127.0.0.1:1", "flash": "f"}
    (folder / f"{name}.json").write_text(json.dumps(entry))


@contextmanager
def another_process_holding(name: str) -> Iterator[int]:
    """A process that has opened the port; gives its number."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.kill()


def usb(device: str, vid: int | None, pid: int | None = None) -> Any:
    """A port as pyserial lists it."""
    found = ListPortInfo(device)
    found.vid, found.pid, found.serial_number, found.hwid = vid, pid, "0001", "USB" if vid else "n/a"
    return found


def test_bytes_go_both_ways_and_reads_return_in_time(terminal: tuple[int, str]) -> None:
    board_end, name = terminal
    with closing(open_port(name, timeout_s=0.05)) as port:
        os.write(board_end, b"[SETUP]\n")
        assert port.read(8) == b"[SETUP]\n"
        assert port.read(1) == b""
        port.write(b"\x00\xff")
        assert os.read(board_end, 10) == b"\x00\xff"


def test_a_port_held_by_a_process_names_it(terminal: tuple[int, str]) -> None:
    _, name = terminal
    with another_process_holding(name) as pid:
        assert [holder.pid for holder in holders(name)] == [pid]
        with pytest.raises(PortBusyError, match=rf"in use by python\S* \(process {pid}\)"):
            open_port(name)


def test_a_closed_port_is_free_and_closing_twice_is_harmless(terminal: tuple[int, str]) -> None:
    _, name = terminal
    for _ in range(3):
        port = open_port(name)
        close_port(port)
        close_port(port)
    assert holders(name) == []


def test_levels_are_released_in_the_order_that_does_not_reset() -> None:
    class Lines:
        def __init__(self) -> None:
            object.__setattr__(self, "order", [])

        def __setattr__(self, name: str, value: object) -> None:
            self.order.append((name, value))  # type: ignore[attr-defined]

        def close(self) -> None:
            self.order.append("close")  # type: ignore[attr-defined]

    lines: Any = Lines()
    close_port(lines)
    assert lines.order == [("rts", False), ("dtr", False), "close"]


def test_a_name_without_a_port_lists_what_there_is(registry: Path) -> None:
    register(registry, "bench")
    with pytest.raises(BoardNotFoundError, match="There is no port /dev/ttyUSB99") as raised:
        open_port("/dev/ttyUSB99")
    assert raised.value.hint == "There are: sim:bench."


def test_an_empty_name_is_said_so() -> None:
    with pytest.raises(UsageError, match="is empty"):
        open_port("")


def test_what_cannot_be_opened_says_why_once(tmp_path: Path) -> None:
    with pytest.raises(BoardNotFoundError) as raised:
        open_port(str(tmp_path))
    assert raised.value.message == f"{tmp_path} cannot be opened: Is a directory."


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BoardNotFoundError, match="is not a serial port"):
        open_port(str(tmp_path / "file"))


@pytest.mark.parametrize("name", ["rfc2217://127.0.0.1:1", "socket://127.0.0.1:1"])
def test_an_address_nobody_serves_is_said_so(name: str) -> None:
    with pytest.raises(BoardNotFoundError, match="No serial port answers"):
        open_port(name)


@pytest.mark.parametrize("name", ["bogus://x", "rfc2217://nowhere"])
def test_an_address_that_is_none_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError):
        open_port(name)


def test_without_permission_the_group_is_named(
    terminal: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_port: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(port_module, "_open_quietly", refuse)
    with pytest.raises(BoardNotFoundError, match="You may not open") as raised:
        open_port(terminal[1])
    if sys.platform == "linux":
        import grp

        group = grp.getgrgid(Path(terminal[1]).stat().st_gid).gr_name
        assert group in (raised.value.hint or "")


def test_sim_means_the_only_one_running(registry: Path) -> None:
    register(registry, "bench")
    assert resolve("sim:") == CABLE
    assert resolve("sim:bench") == CABLE
    assert resolve("auto") == CABLE
    with pytest.raises(BoardNotFoundError, match="No virtual board named shop was found"):
        resolve("sim:shop")


def test_several_boards_must_be_told_apart(registry: Path) -> None:
    register(registry, "a")
    register(registry, "b", cable="rfc2217://127.0.0.1:4001")
    for name in ("auto", "sim:"):
        with pytest.raises(UsageError, match="several boards: sim:a, sim:b"):
            resolve(name)
    assert resolve("sim:b").endswith(":4001")


def test_boards_that_have_gone_and_torn_entries_are_ignored(registry: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    register(registry, "gone", pid=ended.pid)
    (registry / "torn.json").write_text('{"name": "to')
    (registry / "list.json").write_text("[1]")
    assert running_virtual_boards() == []
    with pytest.raises(BoardNotFoundError, match="No board was found"):
        resolve("auto")


def test_auto_takes_the_one_port_with_a_bridge(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [usb("/dev/ttyS0", None), usb("/dev/ttyUSB0", 0x10C4, 0xEA60), usb("/dev/ttyACM7", 0x2341, 0x43)]
    monkeypatch.setattr(list_ports, "comports", lambda: found)
    assert resolve("auto") == "/dev/ttyUSB0"
    assert [(port.path, port.bridge) for port in serial_ports()] == [
        ("/dev/ttyACM7", None),
        ("/dev/ttyUSB0", "CP210x"),
    ]


def test_the_registry_has_a_place_without_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPCTL_SIM_DIR", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert simulator_directory().name == "sim"
