"""A bootloader session over memory, with NOR rules, that can be cut at any of its flash operations."""

from __future__ import annotations

import hashlib
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dispctl.errors import BoardSilentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispctl.adapters.rom import Progress

SECTOR = 4096
MAC = "24:6f:28:d1:5c:01"


class CutError(BoardSilentError):
    """The power went, or the cable."""


class FakeRom:
    """Stands for `RomSession` (same methods); `flash` outlives sessions.

    `cut_after` is how many sector erases and sector programs still succeed; the one after is done in half and raises
    `CutError`, as does everything after it until `power_on`.
    """

    def __init__(self, flash_size: int = 4 * 1024 * 1024) -> None:
        self.flash = bytearray(b"\xff" * flash_size)
        self.flash_size = flash_size
        self.mac = MAC
        self.cut_after: int | None = None
        self.operations = 0
        self.bytes_read = 0
        self.bauds: list[int] = []
        self.log = b"[SETUP] dispctl firmware 0.1.0 uid=esp-246f28d15c01\r\n"

    def power_on(self) -> None:
        """After a cut: everything works again."""
        self.cut_after = None

    @contextmanager
    def connect(self, _port: str, *, baud: int) -> Iterator[FakeRom]:
        """In place of `rom.connect`."""
        self.bauds.append(baud)
        yield self

    def read(self, offset: int, length: int) -> bytes:
        self.bytes_read += length
        return bytes(self.flash[offset : offset + length])

    def digest(self, offset: int, length: int) -> bytes:
        return hashlib.md5(self.flash[offset : offset + length], usedforsecurity=False).digest()

    def holds(self, offset: int, data: bytes) -> bool:
        return self.digest(offset, len(data)) == hashlib.md5(data, usedforsecurity=False).digest()

    def erase(self, offset: int, length: int) -> None:
        assert offset % SECTOR == length % SECTOR == 0
        for start in range(offset, offset + length, SECTOR):
            self._operate(start, b"\xff" * SECTOR)

    def write(self, pieces: list[tuple[int, bytes]], on_progress: Progress) -> None:
        for offset, data in pieces:
            assert offset % SECTOR == 0, f"{offset:#x} is inside a sector: what is before it would be erased"
            for start in range(0, len(data), SECTOR):
                self._operate(offset + start, b"\xff" * SECTOR)
                self._operate(offset + start, data[start : start + SECTOR])
        on_progress(1)

    def reset(self) -> Any:
        """A port that has the board's log."""
        return _Log(self.log)

    def _operate(self, offset: int, data: bytes) -> None:
        if self.cut_after == 0:
            self.flash[offset : offset + len(data) // 2] = data[: len(data) // 2]
            self.cut_after = -1
        if self.cut_after == -1:
            raise CutError("The connection broke down.")
        if self.cut_after is not None:
            self.cut_after -= 1
        self.operations += 1
        self.flash[offset : offset + len(data)] = data


class _Log(io.BytesIO):
    """A port that says what it has to and then nothing."""

    @property
    def in_waiting(self) -> int:
        return len(self.getvalue()) - self.tell()
