"""The MicroPython that was found in the flash, as the interpreter that stands for it is told to present itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dispctl.virtual import partitions

if TYPE_CHECKING:
    from dispctl.virtual.esp_image import MicroPythonFound
    from dispctl.virtual.flash import NorFlash

_BUILD_DATE = "2026-01-01"
_VFS = (partitions.TYPE_DATA, partitions.DATA_FAT)
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


def describe(flash: NorFlash, found: MicroPythonFound) -> dict[str, Any]:
    """Where its filesystem is, what `esp32.Partition` lists, which version it says it is.

    ``partitions`` are lists of type, subtype, offset, length, label and whether it is encrypted; ``release`` is three numbers with dots.
    """
    return {
        "flash": str(flash.path.resolve()),
        "offset": found.offset,
        "length": found.length,
        "partitions": _partitions(flash, found),
        "release": _release(found.version),
        "banner": f"{found.version} on {_BUILD_DATE}",
    }


def _partitions(flash: NorFlash, found: MicroPythonFound) -> list[list[Any]]:
    table = partitions.decode(flash.read(partitions.TABLE_OFFSET, partitions.TABLE_LENGTH), flash.size)
    entries: list[list[Any]] = [
        [one.kind, one.subtype, one.offset, one.length, one.label, False] for one in table
    ]
    if all(one.label != "vfs" for one in table):  # registered at run time, from v1.26 on
        entries.append([*_VFS, found.offset, found.length, "vfs", False])
    return entries


def _release(version: str) -> str:
    numbers = _NUMBERS.match(version)
    return ".".join(number or "0" for number in numbers.groups()) if numbers else "0.0.0"
