"""What the ESP32's ROM and second-stage boot loader print, at 115200 baud, as bytes; knows nothing of what comes next.

Wording as seen on ESP32 revision 3 boards (`ets Jul 29 2019`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BAUD = 115200
INVALID_HEADER_PERIOD_S = 0.04  # between two tries of the ROM at a flash without an image

_DATE = "ets Jul 29 2019 12:21:46"
_BOOT_FLASH = "boot:0x13 (SPI_FAST_FLASH_BOOT)"
_BOOT_DOWNLOAD = "boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))"
_MODES = {0: "QIO", 1: "QOUT", 2: "DIO", 3: "DOUT"}
_CLOCK_DIVIDERS = {0x0: 2, 0x1: 3, 0x2: 4, 0xF: 1}  # of 80 MHz: 40, 26, 20 and 80 MHz


class ResetCause(IntEnum):
    """Why the chip starts (ESP32 Technical Reference Manual, "Reset sources"), as the ROM prints it."""

    POWERON_RESET = 0x1
    SW_RESET = 0x3
    DEEPSLEEP_RESET = 0x5
    TG0WDT_SYS_RESET = 0x7
    TG1WDT_SYS_RESET = 0x8
    SW_CPU_RESET = 0xC
    RTCWDT_BROWN_OUT_RESET = 0xF
    RTCWDT_RTC_RESET = 0x10


def start(cause: ResetCause) -> bytes:
    """The first lines of a start from the flash."""
    return _lines(_DATE, "", _reset_line(cause, _BOOT_FLASH))


def download(cause: ResetCause = ResetCause.POWERON_RESET) -> bytes:
    """All that is printed on the way to download mode."""
    return _lines(_DATE, "", _reset_line(cause, _BOOT_DOWNLOAD), "waiting for download")


def invalid_header(word: int) -> bytes:
    """One try at a flash without an image: `word` stands where the image's header should begin.

    The ROM prints this every `INVALID_HEADER_PERIOD_S`, eight times; then the RTC's watchdog resets the chip, for ever.
    """
    return _lines(f"invalid header: {word:#010x}")


def loading(mode: int, frequency: int, segments: Sequence[tuple[int, int]], entry: int) -> bytes:
    """What follows `start` for a good second-stage boot loader.

    `mode` and `frequency` are the fields of its header, `segments` its (address, length) pairs.
    """
    return _lines(
        "configsip: 0, SPIWP:0xee",
        "clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00",
        f"mode:{_MODES.get(mode, 'DIO')}, clock div:{_CLOCK_DIVIDERS.get(frequency, 2)}",
        *(f"load:{address:#010x},len:{length}" for address, length in segments),
        f"entry {entry:#010x}",
    )


def boot_error(uptime_ms: int, tag: str, message: str) -> bytes:
    """A line of the second-stage boot loader's log, at the level error."""
    return _lines(f"E ({uptime_ms}) {tag}: {message}")


def checksum_error(calculated: int, read: int) -> bytes:
    """What the ROM prints of a boot loader whose checksum is wrong, before it waits for the watchdog."""
    return _lines(f"csum err:{calculated:#x}!={read:#x}", "ets_main.c 384 ")


def _reset_line(cause: ResetCause, boot: str) -> str:
    return f"rst:{cause:#x} ({cause.name}),{boot}"


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
