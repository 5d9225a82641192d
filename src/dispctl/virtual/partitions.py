"""ESP-IDF's partition table: 32-byte entries at 0x8000, with an MD5 behind them; pure functions over bytes.

Format: https://docs.espressif.com/projects/esp-idf/en/stable/esp32/api-guides/partition-tables.html.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

TABLE_OFFSET = 0x8000
TABLE_LENGTH = 0xC00
ENTRY_LENGTH = 32
MAGIC = 0x50AA
MD5_MAGIC = b"\xeb\xeb"
NO_MAGIC = 0xFFFF

TYPE_APP, TYPE_DATA = 0x00, 0x01
APP_FACTORY, APP_OTA_FIRST, APP_OTA_LAST = 0x00, 0x10, 0x1F
DATA_PHY, DATA_NVS, DATA_FAT = 0x01, 0x02, 0x81

_ENTRY = struct.Struct("<HBBII16sI")


class PartitionTableError(Exception):
    """No partition table, or a damaged one; the message is in the words of ESP-IDF's boot loader."""


@dataclass(frozen=True)
class Partition:
    """One entry; `offset` and `length` in bytes."""

    label: str
    kind: int
    subtype: int
    offset: int
    length: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.offset + self.length

    @property
    def is_app(self) -> bool:
        """Whether the boot loader may start it."""
        bootable = self.subtype == APP_FACTORY or APP_OTA_FIRST <= self.subtype <= APP_OTA_LAST
        return self.kind == TYPE_APP and bootable


def encode(partitions: tuple[Partition, ...]) -> bytes:
    """The table's `TABLE_LENGTH` bytes."""
    table = b"".join(
        _ENTRY.pack(MAGIC, one.kind, one.subtype, one.offset, one.length, one.label.encode(), 0)
        for one in partitions
    )
    digest = hashlib.md5(table, usedforsecurity=False).digest()
    return (table + MD5_MAGIC.ljust(16, b"\xff") + digest).ljust(TABLE_LENGTH, b"\xff")


def decode(table: bytes, flash_size: int) -> tuple[Partition, ...]:
    """The entries of `table`; raises `PartitionTableError` where the boot loader would not accept it."""
    partitions: list[Partition] = []
    for index in range(len(table) // ENTRY_LENGTH):
        raw = table[index * ENTRY_LENGTH : (index + 1) * ENTRY_LENGTH]
        magic, kind, subtype, offset, length, label, _flags = _ENTRY.unpack(raw)
        if magic == NO_MAGIC and partitions:
            break
        if raw.startswith(MD5_MAGIC) and partitions:
            _check_md5(table[: index * ENTRY_LENGTH], raw[16:])
            continue
        if magic != MAGIC:
            raise PartitionTableError(f"partition {index} invalid magic number {magic:#x}")
        if offset + length > flash_size:
            raise PartitionTableError(
                f"partition {index} invalid - offset {offset:#x} size {length:#x} exceeds flash chip size {flash_size:#x}"
            )
        name = label.split(b"\0")[0].decode("ascii", "replace")
        partitions.append(Partition(name, kind, subtype, offset, length))
    return tuple(partitions)


def _check_md5(entries: bytes, digest: bytes) -> None:
    if hashlib.md5(entries, usedforsecurity=False).digest() != digest:
        raise PartitionTableError("Partitions table MD5 checksum failed")
