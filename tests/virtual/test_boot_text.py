"""The ROM's lines, to the letter."""

from __future__ import annotations

import re

import pytest

from dispctl.virtual import boot_text
from dispctl.virtual.boot_text import ResetCause

# What esptool looks for in the boot log to tell download mode from a normal start
ESPTOOL_BOOT_LOG = re.compile(rb"boot:(0x[0-9a-fA-F]+)(.*waiting for download)?", re.DOTALL)


def test_a_start_from_the_flash() -> None:
    assert boot_text.start(ResetCause.POWERON_RESET) == (
        b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
    )


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ResetCause.SW_CPU_RESET, b"rst:0xc (SW_CPU_RESET)"),
        (ResetCause.RTCWDT_RTC_RESET, b"rst:0x10 (RTCWDT_RTC_RESET)"),
        (ResetCause.TG1WDT_SYS_RESET, b"rst:0x8 (TG1WDT_SYS_RESET)"),
    ],
)
def test_the_cause_of_a_reset_is_told(cause: ResetCause, words: bytes) -> None:
    assert words in boot_text.start(cause)


def test_download_mode_is_what_esptool_takes_for_it() -> None:
    found = ESPTOOL_BOOT_LOG.search(boot_text.download())
    assert found
    assert found[1] == b"0x3"
    assert found[2]


def test_a_normal_start_is_what_esptool_takes_for_the_wrong_mode() -> None:
    found = ESPTOOL_BOOT_LOG.search(boot_text.start(ResetCause.POWERON_RESET))
    assert found
    assert found[1] == b"0x13"
    assert not found[2]


def test_the_loading_of_a_boot_loader() -> None:
    text = boot_text.loading(2, 0xF, [(0x3FFF0030, 4728), (0x40078000, 14888)], 0x400805CC)
    assert text.endswith(
        b"mode:DIO, clock div:1\r\nload:0x3fff0030,len:4728\r\nload:0x40078000,len:14888\r\nentry 0x400805cc\r\n"
    )


def test_a_boot_loaders_complaint() -> None:
    assert boot_text.boot_error(60, "boot", "no") == b"E (60) boot: no\r\n"
