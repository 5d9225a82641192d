"""The released esptool, unmodified, as a process of its own over RFC 2217: each command, with the stub and without.

pyserial's RFC 2217 client makes a session last some 20 seconds, nearly all of them spent asleep, so every command gets a
board of its own and all run at once.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.virtual.esp_image import IMAGE_OFFSET, build_image
from dispctl.virtual.flash import NorFlash
from tests.virtual.cable import bench, loop_thread

if TYPE_CHECKING:
    from pathlib import Path

    from tests.virtual.cable import Bench

TIMEOUT_S = 240
REFUSED = 2  # esptool's exit code for an error that it expects
IMAGE = build_image()
DATA = hashlib.shake_128(b"salt, pepper, cumin, oregano").digest(0x3000)  # does not compress
TEXT = b"Sal, Pimenta, Cominho, Or\xc3\xa9gano; " * 1000  # does


@dataclass
class Tool:
    """esptool with a board of its own and a folder for its files."""

    board: Bench
    folder: Path

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """All that ``esptool --port … arguments`` prints; fails on another exit code."""
        command = [sys.executable, "-m", "esptool", "--port", self.board.url, *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
        output = done.stdout.decode("utf-8", "replace")
        assert done.returncode == exit_code, output
        return output

    def file(self, data: bytes) -> str:
        """The name of a file with these contents."""
        path = self.folder / f"{len(list(self.folder.iterdir()))}.bin"
        path.write_bytes(data)
        return str(path)

    def put(self, offset: int, data: bytes) -> None:
        """Write into the flash past all protocols."""
        self.board.flash.program(offset, data)

    def holds(self, offset: int, data: bytes) -> bool:
        """Whether the flash has `data` at `offset`."""
        return self.board.flash.read(offset, len(data)) == data


def flash_id(tool: Tool) -> None:
    output = tool.run("flash-id")
    assert "ESP32-D0WD-V3 (revision v3.1)" in output
    assert "24:6f:28:aa:bb:cc" in output
    assert "Crystal frequency:  40MHz" in output
    assert "Manufacturer: c8\nDevice: 4016\nDetected flash size: 4MB" in output
    assert "Stub flasher running" in output
    assert tool.board.starts == ["download", "run"]


def flash_id_without_stub(tool: Tool) -> None:
    assert "Detected flash size: 4MB" in tool.run("--no-stub", "flash-id")


def flash_id_at_a_low_speed(tool: Tool) -> None:
    assert "Crystal frequency:  40MHz" in tool.run("--baud", "57600", "--no-stub", "flash-id")


def read_mac(tool: Tool) -> None:
    assert tool.run("read-mac").count("24:6f:28:aa:bb:cc") == 2


def read_mac_without_stub(tool: Tool) -> None:
    assert tool.run("--no-stub", "read-mac").count("24:6f:28:aa:bb:cc") == 2


def chip_id(tool: Tool) -> None:
    assert "ESP32 has no chip ID" in tool.run("chip-id")


def chip_id_without_stub(tool: Tool) -> None:
    assert "ESP32 has no chip ID" in tool.run("--no-stub", "chip-id")


def read_flash(tool: Tool) -> None:
    tool.put(0x10000, DATA)
    tool.run("--baud", "921600", "read-flash", "0x10000", hex(len(DATA)), "out.bin")
    assert (tool.folder / "out.bin").read_bytes() == DATA


def read_flash_without_stub(tool: Tool) -> None:
    tool.put(0x10000, DATA)
    tool.run("--no-stub", "read-flash", "0x10000", "1000", "out.bin")
    assert (tool.folder / "out.bin").read_bytes() == DATA[:1000]


def write_flash(tool: Tool) -> None:
    output = tool.run("--baud", "460800", "write-flash", hex(IMAGE_OFFSET), tool.file(IMAGE))
    assert f"Compressed {len(IMAGE)} bytes" in output
    assert "Hash of data verified" in output
    assert tool.holds(IMAGE_OFFSET, IMAGE)


def write_flash_uncompressed(tool: Tool) -> None:
    assert "Hash of data verified" in tool.run("write-flash", "--no-compress", "0x10000", tool.file(TEXT))
    assert tool.holds(0x10000, TEXT)


def write_flash_without_stub(tool: Tool) -> None:
    tool.put(0x10000, bytes(0x10000))
    assert "Hash of data verified" in tool.run("--no-stub", "write-flash", "0x10000", tool.file(TEXT))
    assert tool.holds(0x10000, TEXT)


def write_flash_uncompressed_without_stub(tool: Tool) -> None:
    output = tool.run(
        "--no-stub", "--baud", "230400", "write-flash", "--no-compress", "0x10000", tool.file(DATA)
    )
    assert "Hash of data verified" in output
    assert tool.holds(0x10000, DATA)


def write_flash_at_an_odd_address(tool: Tool) -> None:
    tool.put(0x10000, bytes(0x2000))
    tool.run("write-flash", "0x10010", tool.file(TEXT[:0x800]))
    assert tool.holds(0x10000, b"\xff" * 0x10 + TEXT[:0x800] + b"\xff" * 0x7F0 + bytes(0x1000))


def write_flash_of_changed_sectors(tool: Tool) -> None:
    changed = DATA[:0x1000] + DATA[:0x1000] + DATA[0x2000:]
    tool.put(0x10000, DATA)
    erases = tool.board.flash.erases
    output = tool.run("write-flash", "0x10000", tool.file(changed), "--diff-with", tool.file(DATA))
    assert "fast reflashing" in output
    assert tool.holds(0x10000, changed)
    assert tool.board.flash.erases == erases + 1


def write_flash_of_what_is_there(tool: Tool) -> None:
    tool.put(0x10000, DATA)
    assert "already in flash" in tool.run("write-flash", "--skip-flashed", "0x10000", tool.file(DATA))
    assert tool.board.flash.erases == 0


def write_flash_after_an_erase_of_all(tool: Tool) -> None:
    tool.put(0x200000, bytes(100))
    tool.run("write-flash", "--erase-all", "0x10000", tool.file(DATA))
    assert tool.holds(0x10000, DATA)
    assert tool.holds(0x200000, b"\xff" * 100)


def verify_flash(tool: Tool) -> None:
    tool.put(0x10000, DATA)
    assert "Verification successful" in tool.run("verify-flash", "0x10000", tool.file(DATA))


def verify_flash_without_stub(tool: Tool) -> None:
    tool.put(0x10000, DATA)
    assert "Verification successful" in tool.run("--no-stub", "verify-flash", "0x10000", tool.file(DATA))


def verify_flash_that_differs(tool: Tool) -> None:
    tool.put(0x10000, DATA)
    tool.put(0x10123, b"\0")
    output = tool.run("verify-flash", "--diff", "0x10000", tool.file(DATA), exit_code=REFUSED)
    assert "1 differences, first at 0x00010123" in output


def erase_region(tool: Tool) -> None:
    tool.put(0x10000, bytes(0x3000))
    tool.run("erase-region", "0x11000", "0x1000")
    assert tool.holds(0x10000, bytes(0x1000) + b"\xff" * 0x1000 + bytes(0x1000))


def erase_region_without_stub(tool: Tool) -> None:
    tool.put(0x3FE000, bytes(0x2000))
    tool.run("--no-stub", "erase-region", "0x3ff000", "0x1000")
    assert tool.holds(0x3FE000, bytes(0x1000) + b"\xff" * 0x1000)


def erase_flash(tool: Tool) -> None:
    tool.put(0, DATA)
    tool.put(0x3FF000, DATA[:0x1000])
    tool.run("erase-flash")
    assert tool.holds(0, b"\xff" * 0x400000)


def erase_flash_without_stub(tool: Tool) -> None:
    assert "does not support" in tool.run("--no-stub", "erase-flash", exit_code=REFUSED)


def image_info(tool: Tool) -> None:
    bootloader = tool.run("image-info", tool.file(IMAGE))
    assert "Checksum: " in bootloader
    assert bootloader.count("(valid)") == 2
    application = tool.run("image-info", tool.file(IMAGE[0xF000:]))
    assert application.count("(valid)") == 2
    assert "Project name: micropython\nApp version: v1.28.0" in application


def a_stub_left_running(tool: Tool) -> None:
    tool.run("--after", "no-reset-stub", "read-mac")
    output = tool.run("--before", "no-reset", "--after", "no-reset", "flash-id")
    assert "already running" in output
    assert tool.board.starts == ["download"]
    assert not tool.board.loader.stub_running


def run(tool: Tool) -> None:
    tool.run("--no-stub", "--after", "no-reset", "run")
    assert tool.board.starts == ["download", "left"]


def read_flash_status(tool: Tool) -> None:
    assert "Flash memory status: 0x0000" in tool.run("read-flash-status")


def read_flash_sfdp(tool: Tool) -> None:
    assert "0x53 0x46 0x44 0x50" in tool.run("--no-stub", "read-flash-sfdp", "0", "4")


COMMANDS = [
    flash_id, flash_id_without_stub, flash_id_at_a_low_speed, read_mac, read_mac_without_stub, chip_id,
    chip_id_without_stub, read_flash, read_flash_without_stub, write_flash, write_flash_uncompressed,
    write_flash_without_stub, write_flash_uncompressed_without_stub, write_flash_at_an_odd_address,
    write_flash_of_changed_sectors, write_flash_of_what_is_there, write_flash_after_an_erase_of_all, verify_flash,
    verify_flash_without_stub, verify_flash_that_differs, erase_region, erase_region_without_stub, erase_flash,
    erase_flash_without_stub, image_info, a_stub_left_running, run, read_flash_status,
    read_flash_sfdp,
]  # fmt: skip


def test_every_command_of_the_released_tool(tmp_path: Path) -> None:
    with ExitStack() as stack:
        thread = stack.enter_context(loop_thread())
        tools = []
        for command in COMMANDS:
            folder = tmp_path / command.__name__
            folder.mkdir()
            flash = stack.enter_context(closing(NorFlash(tmp_path / f"{command.__name__}.flash")))
            tools.append(Tool(stack.enter_context(bench(thread, flash)), folder))
        pool = stack.enter_context(ThreadPoolExecutor(len(COMMANDS)))
        tried = [pool.submit(command, tool) for command, tool in zip(COMMANDS, tools, strict=True)]
        errors = [attempt.exception() for attempt in tried]
    failed = {command.__name__: error for command, error in zip(COMMANDS, errors, strict=True) if error}
    assert not failed, "\n\n".join(f"{name}: {error}" for name, error in failed.items())
