"""The partition table: what was encoded comes back, and damage is named as the boot loader names it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual.partitions import (
    ENTRY_LENGTH,
    TABLE_LENGTH,
    Partition,
    PartitionTableError,
    decode,
    encode,
)

FLASH_SIZE = 0x400000
FACTORY = Partition("factory", 0, 0, 0x10000, 0x1F0000)
NVS = Partition("nvs", 1, 2, 0x9000, 0x6000)

PARTITIONS = st.builds(
    Partition,
    label=st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=15),
    kind=st.integers(0, 0xFE),
    subtype=st.integers(0, 0xFE),
    offset=st.integers(0, FLASH_SIZE // 2),
    length=st.integers(0, FLASH_SIZE // 2),
)


@given(st.lists(PARTITIONS, min_size=1, max_size=20).map(tuple))
def test_partitions_come_back(partitions: tuple[Partition, ...]) -> None:
    table = encode(partitions)
    assert len(table) == TABLE_LENGTH
    assert decode(table, FLASH_SIZE) == partitions


@pytest.mark.parametrize(
    ("kind", "subtype", "bootable"),
    [(0, 0, True), (0, 0x10, True), (0, 0x1F, True), (0, 0x20, False), (1, 0, False)],
)
def test_factory_and_over_the_air_apps_are_bootable(kind: int, subtype: int, bootable: bool) -> None:
    assert Partition("x", kind, subtype, 0, 0).is_app is bootable


def test_a_table_without_an_md5_is_accepted() -> None:
    bare = encode((NVS, FACTORY))[: 2 * ENTRY_LENGTH].ljust(TABLE_LENGTH, b"\xff")
    assert decode(bare, FLASH_SIZE) == (NVS, FACTORY)


def test_a_blank_table_is_refused() -> None:
    with pytest.raises(PartitionTableError, match="partition 0 invalid magic number 0xffff"):
        decode(b"\xff" * TABLE_LENGTH, FLASH_SIZE)


def test_a_flipped_bit_is_noticed() -> None:
    table = bytearray(encode((NVS, FACTORY)))
    table[8] ^= 1
    with pytest.raises(PartitionTableError, match="MD5 checksum failed"):
        decode(bytes(table), FLASH_SIZE)


def test_a_partition_beyond_the_end_is_refused() -> None:
    with pytest.raises(
        PartitionTableError, match="partition 1 invalid - offset 0x10000 size 0x1f0000 exceeds"
    ):
        decode(encode((NVS, FACTORY)), 0x100000)


@given(st.binary(max_size=TABLE_LENGTH))
def test_any_bytes_are_a_table_or_refused(table: bytes) -> None:
    with suppress(PartitionTableError):
        decode(table, FLASH_SIZE)
