"""ESP-IDF partition tables as bytes, and where MicroPython's filesystem lies; knows nothing of boards or files.

Format: Espressif's "Partition Tables" guide. Entries of 32 bytes, an MD5 entry over those before it, then erased flash.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from dispctl.errors import DamagedError

TABLE_OFFSET = 0x8000
TABLE_LENGTH = 0xC00
SECTOR_SIZE = 0x1000
LARGEST_FLASH = 16 << 20
"""In bytes: an ESP32 addresses no more."""

ENTRY_MAGIC = 0x50AA
MD5_MAGIC = 0xEBEB
_ENTRY = struct.Struct("<HBBII16sI")
_END = b"\xff" * _ENTRY.size
_MD5_OFFSET = 16

TYPE_APP = 0
TYPE_DATA = 1
SUBTYPE_FAT = 0x81
SUBTYPE_SPIFFS = 0x82
SUBTYPE_LITTLEFS = 0x83
_FILESYSTEM_SUBTYPES = frozenset({SUBTYPE_FAT, SUBTYPE_SPIFFS, SUBTYPE_LITTLEFS})


@dataclass(frozen=True)
class Region:
    """A stretch of flash, in bytes."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.offset + self.length


@dataclass(frozen=True)
class Partition:
    """One entry of the table."""

    label: str
    type: int
    subtype: int
    region: Region


def parse(table: bytes) -> tuple[Partition, ...]:
    """The entries of a table read from flash or cut from an image, in its order.

    Raises DamagedError when it holds no entry, breaks off, or does not match its own MD5.
    """
    partitions: list[Partition] = []
    for start in range(0, len(table) - _ENTRY.size + 1, _ENTRY.size):
        raw = table[start : start + _ENTRY.size]
        magic = int.from_bytes(raw[:2], "little")
        if magic == ENTRY_MAGIC:
            partitions.append(_partition(raw))
        elif magic == MD5_MAGIC:
            if raw[_MD5_OFFSET:] != hashlib.md5(table[:start], usedforsecurity=False).digest():
                raise DamagedError("The partition table does not match its own checksum.")
        elif raw == _END:
            break
        else:
            raise DamagedError(f"The partition table breaks off at its entry {start // _ENTRY.size + 1}.")
    if not partitions:
        raise DamagedError("There is no partition table.")
    return tuple(partitions)


def filesystem_region(partitions: tuple[Partition, ...], flash_size: int) -> Region:
    """Where MicroPython keeps its files on a flash of `flash_size` bytes.

    The partition made for them; recent images have none and MicroPython takes what lies after the last partition.
    Raises DamagedError when neither fits the flash.
    """
    listed = [partition for partition in partitions if _holds_files(partition)]
    if listed:
        region = next((found for found in listed if found.label == "vfs"), listed[0]).region
    else:
        start = max(partition.region.end for partition in partitions)
        region = Region(start, flash_size - start)
    if region.length < 2 * SECTOR_SIZE or region.end > flash_size or region.offset % SECTOR_SIZE:
        raise DamagedError(
            f"The partition table leaves no room for files: {flash_size:#x} bytes of flash, files at {region.offset:#x}.",
            hint="Take the MicroPython image that is made for this flash size.",
        )
    return region


def _holds_files(partition: Partition) -> bool:
    return partition.type == TYPE_DATA and partition.subtype in _FILESYSTEM_SUBTYPES


def _partition(raw: bytes) -> Partition:
    _, kind, subtype, offset, length, label, _ = _ENTRY.unpack(raw)
    return Partition(label.rstrip(b"\0").decode("ascii", "replace"), kind, subtype, Region(offset, length))
