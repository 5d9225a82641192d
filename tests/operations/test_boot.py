"""Waiting for the firmware's first line, among everything else that a starting board says."""

import io
import time

import pytest

from dispctl.errors import BoardSilentError, DeadlineError
from dispctl.operations.boot import Started, await_boot_line

ROM_TEXT = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"


class Log(io.BytesIO):
    """A port that hands out what it has a few bytes at a time."""

    name = "log"
    timeout: float | None = 0.0
    baudrate = 115200
    dtr = rts = False

    @property
    def in_waiting(self) -> int:
        return min(7, len(self.getvalue()) - self.tell())

    def reset_input_buffer(self) -> None:
        """Nothing to drop."""


def test_the_line_is_found_after_the_roms_text() -> None:
    log = Log(ROM_TEXT + "[SETUP] dispctl firmware 0.1.0 uid=esp-246f28 reset=1 ✓\r\n".encode())
    assert await_boot_line(log, 5) == Started("0.1.0", "esp-246f28")


def test_it_is_found_without_a_uid_and_among_bytes_that_are_no_text() -> None:
    assert await_boot_line(Log(b"\xff\xfe\n[SETUP] dispctl firmware 2.0\n"), 5) == Started("2.0", "")


def test_a_line_that_never_comes_is_told_with_the_last_that_did() -> None:
    with pytest.raises(DeadlineError, match=r"within 0\.05 s") as raised:
        await_boot_line(Log(b"invalid header: 0xffffffff\r\n\r\n"), 0.05)
    assert "invalid header" in (raised.value.hint or "")


def test_silence_has_a_hint_too() -> None:
    with pytest.raises(DeadlineError) as raised:
        await_boot_line(Log(b""), 0.05)
    assert "silent" in (raised.value.hint or "")


def test_a_prompt_means_that_the_program_has_ended() -> None:
    log = Log(
        b"ImportError: no module named 'firmware'\r\nMicroPython v1.28\r\nType \"help()\" for more information.\r\n"
    )
    started = time.monotonic()
    with pytest.raises(DeadlineError, match="ended instead of running") as raised:
        await_boot_line(log, 60)
    assert "ImportError" in (raised.value.hint or "")
    assert time.monotonic() - started < 30


def test_a_pulled_cable_is_said_so() -> None:
    class Pulled(Log):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(BoardSilentError, match="broke down"):
        await_boot_line(Pulled(), 5)
