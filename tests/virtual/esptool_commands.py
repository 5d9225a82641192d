"""What the released esptool is tried with, as a process of its own: each command, with the stub and without."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dispctl.virtual.board import State
from dispctl.virtual.esp_image import IMAGE_OFFSET, build_image
from tests.virtual.tool_rig import PTY, Tool

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSED = 2  # esptool's exit code for an error that it expects
IMAGE = build_image()
DATA = hashlib.shake_128(b"salt, pepper, cumin, oregano").digest(0x3000)  # does not compress
TEXT = b"Sal, Pimenta, Cominho, Or\xc3\xa9gano; " * 1000  # does
NO_RESET = ("--before", "no-reset", "--after", "no-reset")


class Esptool(Tool):
    """esptool; over the pty, which carries no DTR and RTS, the board is sent to its loader by hand, as with BOOT."""

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        """All that ``esptool --port … arguments`` prints; fails on another exit code."""
        if self.way == PTY:
            self.rig.hold_boot_and_reset()
            arguments = (*NO_RESET, *arguments)
        return self.on_port(*arguments, exit_code=exit_code)

    def on_port(self, *arguments: str, exit_code: int = 0) -> str:
        """The same with the board as it is."""
        return self.start("--port", self.rig.port(self.way), *arguments, exit_code=exit_code)

    def file(self, data: bytes) -> str:
        """The name of a file with these contents."""
        return self.rig.file(data)


def flash_id(tool: Esptool) -> None:
    output = tool.run("flash-id")
    assert "ESP32-D0WD-V3 (revision v3.1)" in output
    assert "24:6f:28:aa:bb:cc" in output
    assert "Crystal frequency:  40MHz" in output
    assert "Manufacturer: c8\nDevice: 4016\nDetected flash size: 4MB" in output
    assert "Stub flasher running" in output
    assert tool.rig.state == (State.DOWNLOAD if tool.way == PTY else State.NO_PROGRAM).value


def flash_id_without_stub(tool: Esptool) -> None:
    assert "Detected flash size: 4MB" in tool.run("--no-stub", "flash-id")


def flash_id_at_a_low_speed(tool: Esptool) -> None:
    assert "Crystal frequency:  40MHz" in tool.run("--baud", "57600", "--no-stub", "flash-id")


def read_mac(tool: Esptool) -> None:
    assert tool.run("read-mac").count("24:6f:28:aa:bb:cc") == 2


def read_mac_without_stub(tool: Esptool) -> None:
    assert tool.run("--no-stub", "read-mac").count("24:6f:28:aa:bb:cc") == 2


def chip_id(tool: Esptool) -> None:
    assert "ESP32 has no chip ID" in tool.run("chip-id")


def chip_id_without_stub(tool: Esptool) -> None:
    assert "ESP32 has no chip ID" in tool.run("--no-stub", "chip-id")


def read_flash(tool: Esptool) -> None:
    tool.put(0x10000, DATA)
    tool.run("--baud", "921600", "read-flash", "0x10000", hex(len(DATA)), "out.bin")
    assert (tool.rig.folder / "out.bin").read_bytes() == DATA


def read_flash_without_stub(tool: Esptool) -> None:
    tool.put(0x10000, DATA)
    tool.run("--no-stub", "read-flash", "0x10000", "1000", "out.bin")
    assert (tool.rig.folder / "out.bin").read_bytes() == DATA[:1000]


def write_flash(tool: Esptool) -> None:
    output = tool.run("--baud", "460800", "write-flash", hex(IMAGE_OFFSET), tool.file(IMAGE))
    assert f"Compressed {len(IMAGE)} bytes" in output
    assert "Hash of data verified" in output
    assert tool.holds(IMAGE_OFFSET, IMAGE)


def write_flash_uncompressed(tool: Esptool) -> None:
    assert "Hash of data verified" in tool.run("write-flash", "--no-compress", "0x10000", tool.file(TEXT))
    assert tool.holds(0x10000, TEXT)


def write_flash_without_stub(tool: Esptool) -> None:
    tool.put(0x10000, bytes(0x10000))
    assert "Hash of data verified" in tool.run("--no-stub", "write-flash", "0x10000", tool.file(TEXT))
    assert tool.holds(0x10000, TEXT)


def write_flash_uncompressed_without_stub(tool: Esptool) -> None:
    output = tool.run(
        "--no-stub", "--baud", "230400", "write-flash", "--no-compress", "0x10000", tool.file(DATA)
    )
    assert "Hash of data verified" in output
    assert tool.holds(0x10000, DATA)


def write_flash_at_an_odd_address(tool: Esptool) -> None:
    tool.put(0x10000, bytes(0x2000))
    tool.run("write-flash", "0x10010", tool.file(TEXT[:0x800]))
    assert tool.holds(0x10000, b"\xff" * 0x10 + TEXT[:0x800] + b"\xff" * 0x7F0 + bytes(0x1000))


def write_flash_of_changed_sectors(tool: Esptool) -> None:
    changed = DATA[:0x1000] + DATA[:0x1000] + DATA[0x2000:]
    tool.put(0x10000, DATA)
    erases = tool.flash.erases
    output = tool.run("write-flash", "0x10000", tool.file(changed), "--diff-with", tool.file(DATA))
    assert "fast reflashing" in output
    assert tool.holds(0x10000, changed)
    assert tool.flash.erases == erases + 1


def write_flash_of_what_is_there(tool: Esptool) -> None:
    tool.put(0x10000, DATA)
    assert "already in flash" in tool.run("write-flash", "--skip-flashed", "0x10000", tool.file(DATA))
    assert tool.flash.erases == 0


def write_flash_after_an_erase_of_all(tool: Esptool) -> None:
    tool.put(0x200000, bytes(100))
    tool.run("write-flash", "--erase-all", "0x10000", tool.file(DATA))
    assert tool.holds(0x10000, DATA)
    assert tool.holds(0x200000, b"\xff" * 100)


def verify_flash(tool: Esptool) -> None:
    tool.put(0x10000, DATA)
    assert "Verification successful" in tool.run("verify-flash", "0x10000", tool.file(DATA))


def verify_flash_without_stub(tool: Esptool) -> None:
    tool.put(0x10000, DATA)
    assert "Verification successful" in tool.run("--no-stub", "verify-flash", "0x10000", tool.file(DATA))


def verify_flash_that_differs(tool: Esptool) -> None:
    tool.put(0x10000, DATA)
    tool.put(0x10123, b"\0")
    output = tool.run("verify-flash", "--diff", "0x10000", tool.file(DATA), exit_code=REFUSED)
    assert "1 differences, first at 0x00010123" in output


def erase_region(tool: Esptool) -> None:
    tool.put(0x10000, bytes(0x3000))
    tool.run("erase-region", "0x11000", "0x1000")
    assert tool.holds(0x10000, bytes(0x1000) + b"\xff" * 0x1000 + bytes(0x1000))


def erase_region_without_stub(tool: Esptool) -> None:
    tool.put(0x3FE000, bytes(0x2000))
    tool.run("--no-stub", "erase-region", "0x3ff000", "0x1000")
    assert tool.holds(0x3FE000, bytes(0x1000) + b"\xff" * 0x1000)


def erase_flash(tool: Esptool) -> None:
    tool.put(0, DATA)
    tool.put(0x3FF000, DATA[:0x1000])
    tool.run("erase-flash")
    assert tool.holds(0, b"\xff" * 0x400000)


def erase_flash_without_stub(tool: Esptool) -> None:
    assert "does not support" in tool.run("--no-stub", "erase-flash", exit_code=REFUSED)


def image_info(tool: Esptool) -> None:
    bootloader = tool.run("image-info", tool.file(IMAGE))
    assert "Checksum: " in bootloader
    assert bootloader.count("(valid)") == 2
    application = tool.run("image-info", tool.file(IMAGE[0xF000:]))
    assert application.count("(valid)") == 2
    assert "Project name: micropython\nApp version: v1.28.0" in application


def a_stub_left_running(tool: Esptool) -> None:
    tool.run("--after", "no-reset-stub", "read-mac")
    output = tool.on_port(*NO_RESET, "flash-id")
    assert "already running" in output
    assert tool.rig.state == State.DOWNLOAD.value


def a_stub_loaded_over_the_stub(tool: Esptool) -> None:
    tool.run("--after", "no-reset-stub", "read-mac")
    output = tool.on_port("--before", "no-reset-no-sync", "--after", "no-reset", "flash-id")
    assert "Detected flash size: 4MB" in output


def reset_for_another_kind_of_usb(tool: Esptool) -> None:
    output = tool.on_port("--before", "usb-reset", "--connect-attempts", "1", "read-mac", exit_code=REFUSED)
    assert ("Wrong boot mode" in output) == (tool.way != PTY)
    assert tool.rig.state != State.DOWNLOAD.value


def resets_of_other_chips(tool: Esptool) -> None:
    assert "only supported on ESP8266" in tool.run(
        "--before", "default-reset" if tool.way != PTY else "no-reset", "--after", "soft-reset", "read-mac",
        exit_code=REFUSED,
    )  # fmt: skip
    assert "not supported on ESP32" in tool.run("--after", "watchdog-reset", "read-mac")


def write_flash_of_several_files(tool: Esptool) -> None:
    places = {0x1000: TEXT, 0x200000: DATA[:5001], 0x300001: DATA[:333]}
    files = [word for offset, data in places.items() for word in (hex(offset), tool.file(data))]
    tool.run("write-flash", "--flash-size", "detect", *files)
    assert all(tool.holds(offset, data) for offset, data in places.items())
    output = tool.run(
        "verify-flash", "0x1000", tool.file(TEXT), "0x200000", tool.file(TEXT), exit_code=REFUSED
    )
    assert "Verification successful" in output
    assert "Verification failed" in output


def write_flash_with_parameters(tool: Esptool) -> None:
    parameters = ("--flash-mode", "dout", "--flash-freq", "80m", "--flash-size", "2MB")
    assert "Flash parameters set to 0x031f" in tool.run(
        "write-flash", *parameters, "0x1000", tool.file(IMAGE)
    )
    assert tool.flash.read(IMAGE_OFFSET + 2, 2) == b"\x03\x1f"


def write_flash_beyond_the_end(tool: Esptool) -> None:
    for offset in ("0x3ff000", "0x400000"):
        output = tool.run("write-flash", offset, tool.file(DATA), exit_code=REFUSED)
        assert "will not fit" in output
    assert tool.flash.erases == 0


def read_flash_of_odd_lengths(tool: Esptool) -> None:
    tool.put(0x200001, DATA)
    for length in (1, 333, 4097):
        tool.run("read-flash", "0x200001", str(length), "out.bin")
        assert (tool.rig.folder / "out.bin").read_bytes() == DATA[:length]
    assert "goes past 4MB" in tool.run("read-flash", "0x3ffff0", "64", "out.bin", exit_code=REFUSED)


def erase_region_that_is_none(tool: Esptool) -> None:
    for region in (("0x200001", "0x1000"), ("0x200000", "100"), ("0x3ff000", "0x2000")):
        assert "fatal error" in tool.run("erase-region", *region, exit_code=REFUSED)
    assert tool.flash.erases == 0


def memory(tool: Esptool) -> None:
    tool.run("--after", "no-reset", "--no-stub", "write-mem", "0x3ffb0000", "0x12345678", "0x00ffff00")
    assert "0x3ffb0000 = 0x00345600" in tool.on_port(*NO_RESET, "--no-stub", "read-mem", "0x3ffb0000")
    tool.on_port(*NO_RESET, "--no-stub", "dump-mem", "0x3ffb0000", "8", "out.bin")
    assert (tool.rig.folder / "out.bin").read_bytes() == b"\0\x56\x34\0" + bytes(4)


def get_security_info(tool: Esptool) -> None:
    assert "not supported" in tool.run("--no-stub", "get-security-info", exit_code=REFUSED)


def write_flash_status(tool: Esptool) -> None:
    assert "After flash memory status:   0x0200" in tool.run("write-flash-status", "--bytes", "2", "0x0200")
    assert "Flash memory status: 0x0200" in tool.run("read-flash-status", "--bytes", "2")


def another_chip(tool: Esptool) -> None:
    assert "This chip is ESP32, not ESP32-S3" in tool.run("--chip", "esp32s3", "flash-id", exit_code=REFUSED)


def merge_bin(tool: Esptool) -> None:
    places = ("0x1000", tool.file(IMAGE), "0x200000", tool.file(DATA))
    tool.start("--chip", "esp32", "merge-bin", "--output", "all.bin", *places)
    tool.run("write-flash", "0", "all.bin")
    assert tool.holds(IMAGE_OFFSET, IMAGE)
    assert tool.holds(0x200000, DATA)


def run(tool: Esptool) -> None:
    tool.put(IMAGE_OFFSET, IMAGE)
    tool.run("--no-stub", "--after", "no-reset", "run")
    assert tool.rig.state == State.RUNNING.value


def read_flash_status(tool: Esptool) -> None:
    assert "Flash memory status: 0x0000" in tool.run("read-flash-status")


def read_flash_sfdp(tool: Esptool) -> None:
    assert "0x53 0x46 0x44 0x50" in tool.run("--no-stub", "read-flash-sfdp", "0", "4")


COMMANDS: list[Callable[[Esptool], None]] = [
    flash_id, flash_id_without_stub, flash_id_at_a_low_speed, read_mac, read_mac_without_stub, chip_id,
    chip_id_without_stub, read_flash, read_flash_without_stub, write_flash, write_flash_uncompressed,
    write_flash_without_stub, write_flash_uncompressed_without_stub, write_flash_at_an_odd_address,
    write_flash_of_changed_sectors, write_flash_of_what_is_there, write_flash_after_an_erase_of_all, verify_flash,
    verify_flash_without_stub, verify_flash_that_differs, erase_region, erase_region_without_stub, erase_flash,
    erase_flash_without_stub, image_info, a_stub_left_running, run, read_flash_status, read_flash_sfdp,
    a_stub_loaded_over_the_stub, reset_for_another_kind_of_usb, resets_of_other_chips, write_flash_of_several_files,
    write_flash_with_parameters, write_flash_beyond_the_end, read_flash_of_odd_lengths, erase_region_that_is_none,
    memory, get_security_info, write_flash_status, another_chip, merge_bin,
]  # fmt: skip
