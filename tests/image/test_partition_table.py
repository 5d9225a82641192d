"""Partition tables: the layouts MicroPython has had, and every way in which one can be damaged."""

import contextlib
import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.errors import DamagedError
from dispctl.image.partition_table import TABLE_LENGTH, Partition, Region, filesystem_region, parse

MIB = 1024 * 1024
NVS = ("nvs", 1, 2, 0x9000, 0x6000)
PHY = ("phy_init", 1, 1, 0xF000, 0x1000)
FACTORY = ("factory", 0, 0, 0x10000, 0x1F0000)
VFS = ("vfs", 1, 0x81, 0x200000, 0x200000)
FLASH_SIZE = 4 * MIB


def table(*entries: tuple[str, int, int, int, int], with_md5: bool = True) -> bytes:
    """A table as ESP-IDF writes it."""
    raw = b"".join(
        struct.pack("<HBBII16sI", 0x50AA, kind, subtype, offset, length, label.encode(), 0)
        for label, kind, subtype, offset, length in entries
    )
    if with_md5:
        raw += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(raw, usedforsecurity=False).digest()
    return raw.ljust(TABLE_LENGTH, b"\xff")


def test_entries_come_in_their_order() -> None:
    assert parse(table(NVS, PHY, FACTORY, VFS)) == tuple(
        Partition(label, kind, subtype, Region(offset, length))
        for label, kind, subtype, offset, length in (NVS, PHY, FACTORY, VFS)
    )


@pytest.mark.parametrize("with_md5", [True, False])
def test_files_are_where_the_table_says(with_md5: bool) -> None:
    partitions = parse(table(NVS, PHY, FACTORY, VFS, with_md5=with_md5))
    assert filesystem_region(partitions, FLASH_SIZE) == Region(0x200000, 0x200000)


@pytest.mark.parametrize("flash_mib", [4, 8, 16])
def test_without_an_entry_files_fill_the_flash_after_the_last_partition(flash_mib: int) -> None:
    region = filesystem_region(parse(table(NVS, PHY, FACTORY)), flash_mib * MIB)
    assert region == Region(0x200000, flash_mib * MIB - 0x200000)


def test_the_partition_called_vfs_wins_over_others() -> None:
    other = ("storage", 1, 0x82, 0x300000, 0x100000)
    vfs = ("vfs", 1, 0x81, 0x200000, 0x100000)
    assert filesystem_region(parse(table(FACTORY, other, vfs)), FLASH_SIZE).offset == 0x200000


@pytest.mark.parametrize("flash_size", [2 * MIB, 3 * MIB])
def test_a_flash_too_small_for_the_table_is_refused(flash_size: int) -> None:
    with pytest.raises(DamagedError, match="leaves no room for files"):
        filesystem_region(parse(table(NVS, PHY, FACTORY, VFS)), flash_size)


def test_a_blank_flash_has_no_table() -> None:
    with pytest.raises(DamagedError, match="There is no partition table"):
        parse(b"\xff" * TABLE_LENGTH)


@given(position=st.integers(0, 4 * 32 + 31), bit=st.integers(0, 7))
def test_no_flipped_bit_goes_unnoticed(position: int, bit: int) -> None:
    damaged = bytearray(table(NVS, PHY, FACTORY, VFS))
    damaged[position] ^= 1 << bit
    try:
        assert parse(bytes(damaged)) == parse(table(NVS, PHY, FACTORY, VFS))  # in the MD5 entry's padding
    except DamagedError:
        return
    assert 4 * 32 + 2 <= position < 4 * 32 + 16


@given(st.binary(max_size=256))
def test_arbitrary_bytes_are_a_table_or_damaged(data: bytes) -> None:
    with contextlib.suppress(DamagedError):
        assert parse(data)
