"""MicroPython images: the one that stands for it on the virtual board, and every way in which a file can be another."""

import functools
import hashlib
import struct
from operator import xor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispctl.errors import DamagedError, DispctlError, UsageError
from dispctl.image.micropython_image import (
    DISK_VERSION_2_0,
    DISK_VERSION_2_1,
    IMAGE_OFFSET,
    check_segments,
    disk_version_of,
    parse,
)
from dispctl.image.partition_table import TABLE_OFFSET
from dispctl.virtual import esp_image

CHIP_ID_POSITION = 12


@functools.cache
def image() -> bytes:
    """Made by the virtual board's own code, which shares nothing with what is tested here."""
    return esp_image.build_image()


def test_a_whole_image_says_what_it_is() -> None:
    parsed = parse(image(), source="mp.bin")
    assert parsed.version == esp_image.DEFAULT_VERSION
    assert parsed.app.offset == esp_image.APP_OFFSET
    assert [partition.label for partition in parsed.partitions] == ["nvs", "phy_init", "factory"]


def test_what_is_written_leaves_the_running_systems_data_alone() -> None:
    pieces = parse(image(), source="mp.bin").pieces()
    assert [offset for offset, _ in pieces] == [IMAGE_OFFSET, esp_image.APP_OFFSET]
    nvs = range(0x9000, 0x10000)
    assert not any(offset < nvs.stop and offset + len(data) > nvs.start for offset, data in pieces)
    for offset, data in pieces:
        assert image()[offset - IMAGE_OFFSET :][: len(data)] == data


def test_data_that_an_image_brings_for_such_a_partition_is_written() -> None:
    with_nvs = bytearray(image())
    with_nvs[0x9000 - IMAGE_OFFSET] = 0x42
    pieces = parse(bytes(with_nvs), source="mp.bin").pieces()
    assert pieces[0][1][0x9000 - IMAGE_OFFSET] == 0x42


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v1.19.1", DISK_VERSION_2_0),
        ("v1.22.2", DISK_VERSION_2_0),
        ("v1.23.0", DISK_VERSION_2_1),
        ("1.28.0-preview.12", DISK_VERSION_2_1),
        ("a build of mine", DISK_VERSION_2_0),
    ],
)
def test_the_disk_version_is_one_that_this_micropython_mounts(version: str, expected: int) -> None:
    assert disk_version_of(version) == expected


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 a zip file", b"\xe9", b"\xff" * 5000])
def test_a_file_that_is_no_image_is_named(data: bytes) -> None:
    with pytest.raises(DamagedError, match=r"notes\.txt is not an ESP32 image") as raised:
        parse(data, source="notes.txt")
    assert "micropython.org" in (raised.value.hint or "")


def test_an_image_for_another_chip_is_refused() -> None:
    other = bytearray(image())
    other[CHIP_ID_POSITION] = 9
    with pytest.raises(UsageError, match=r"is an image for ESP32-S3, not for ESP32"):
        parse(bytes(other), source="s3.bin")


def test_another_program_is_refused() -> None:
    start = esp_image.APP_OFFSET - IMAGE_OFFSET
    app = bytearray(image()[start : start + check_segments(image()[start:], what="It")])
    position = app.index(b"micropython\0")
    app[position : position + 11] = b"someproject"
    app[-33] ^= functools.reduce(xor, b"micropython" + b"someproject")
    app[-32:] = hashlib.sha256(app[:-32]).digest()
    with pytest.raises(UsageError, match="is not MicroPython but someproject"):
        parse(image()[:start] + bytes(app), source="other.bin")


@settings(max_examples=60)
@given(data=st.data())
def test_no_flipped_bit_in_the_program_goes_unnoticed(data: st.DataObject) -> None:
    start = esp_image.APP_OFFSET - IMAGE_OFFSET
    length = check_segments(image()[start:], what="It")
    position = data.draw(st.integers(start, start + length - 1))
    damaged = bytearray(image())
    damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DispctlError):
        parse(bytes(damaged), source="mp.bin")


@settings(max_examples=60)
@given(length=st.integers(0, len(esp_image.build_image()) - 1))
def test_no_cut_goes_unnoticed(length: int) -> None:
    with pytest.raises(DispctlError) as raised:
        parse(image()[:length], source="mp.bin")
    assert raised.value.hint


def test_what_goes_on_beyond_the_programs_partition_would_overwrite_the_files() -> None:
    (app,) = [
        partition.region for partition in parse(image(), source="mp.bin").partitions if partition.type == 0
    ]
    fills = app.end - IMAGE_OFFSET
    assert parse(image().ljust(fills, b"\xff"), source="mp.bin").version
    with pytest.raises(DamagedError, match="larger than the partition"):
        parse(image().ljust(fills + 1, b"\xff"), source="mp.bin")


def test_segments_beyond_the_file_are_a_cut() -> None:
    header = struct.pack("<BBBBI8xHBHH4xB", 0xE9, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(DamagedError, match="It is cut short"):
        check_segments(header + struct.pack("<II", 0x3F400000, 1 << 31), what="It")


def test_the_table_of_an_image_must_be_whole() -> None:
    broken = bytearray(image())
    broken[TABLE_OFFSET - IMAGE_OFFSET + 40] ^= 1
    with pytest.raises(DamagedError, match="not a whole image"):
        parse(bytes(broken), source="mp.bin")
