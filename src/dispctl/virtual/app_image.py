"""The ESP32's image format, for boot loaders and applications alike: segments with a checksum and a SHA-256 behind.

Format: https://docs.espressif.com/projects/esp-idf/en/stable/esp32/api-reference/system/app_image_format.html.
Knows no flash and no partitions.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from functools import reduce

MAGIC = 0xE9
MAX_SEGMENTS = 16
CHECKSUM_SEED = 0xEF
CHECKSUM_ALIGNMENT = 16
CHIP_ESP32 = 0
FLASH_MODE_DIO = 2
FLASH_4MB_40MHZ = 0x20
WP_PIN_DISABLED = 0xEE
ANY_REVISION = 0xFFFF

# magic, segments, flash mode, flash size and frequency, entry; WP pin, three bytes of pin drives, chip, minimal
# revision as it was numbered once, minimal and maximal revision, four reserved bytes, whether a hash follows
_HEADER = struct.Struct("<BBBBIB3xHBHH4xB")
_SEGMENT = struct.Struct("<II")
_HASH_LENGTH = 32


class ImageError(Exception):
    """No image, or a damaged one; the message is in the words of ESP-IDF's boot loader."""


class ChecksumError(ImageError):
    """The checksum byte is `read`, and should be `calculated`."""

    def __init__(self, calculated: int, read: int) -> None:
        super().__init__(f"Checksum failed. Calculated {calculated:#x} read {read:#x}")
        self.calculated = calculated
        self.read = read


@dataclass(frozen=True)
class Segment:
    """`data` to be loaded, or mapped, at `address`."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Image:
    """An image: `flash_mode` and `flash_frequency` as in its header, `length` in bytes with checksum and hash."""

    entry: int
    segments: tuple[Segment, ...]
    flash_mode: int
    flash_frequency: int
    length: int


def encode(entry: int, segments: tuple[Segment, ...]) -> bytes:
    """An image for an ESP32 of any revision with 4 MB of flash in DIO mode at 40 MHz."""
    body = bytearray(
        _HEADER.pack(
            MAGIC, len(segments), FLASH_MODE_DIO, FLASH_4MB_40MHZ, entry,
            WP_PIN_DISABLED, CHIP_ESP32, 0, 0, ANY_REVISION, 1,
        )
    )  # fmt: skip
    for segment in segments:
        data = segment.data + bytes(-len(segment.data) % 4)
        body += _SEGMENT.pack(segment.address, len(data)) + data
    body += bytes(CHECKSUM_ALIGNMENT - 1 - len(body) % CHECKSUM_ALIGNMENT)
    body.append(_checksum(segments))
    return bytes(body) + hashlib.sha256(body).digest()


def decode(data: bytes, offset: int, *, check_hash: bool = True) -> Image:
    """The image at the beginning of `data`, which lies at `offset` in the flash (for the words of errors only).

    Raises `ImageError`. The ROM does not look at the hash, the second-stage boot loader does.
    """
    if len(data) < _HEADER.size or data[0] != MAGIC:
        raise ImageError(f"image at {offset:#x} has invalid magic byte (nothing flashed here?)")
    _, count, flash_mode, size_frequency, entry, *_, hashed = _HEADER.unpack_from(data)
    if not 0 < count <= MAX_SEGMENTS:
        raise ImageError(f"image at {offset:#x} segment count {count} exceeds max {MAX_SEGMENTS}")
    segments, end = _decode_segments(data, count)
    end += CHECKSUM_ALIGNMENT - end % CHECKSUM_ALIGNMENT
    _check_sum(data, end, segments)
    if hashed:
        if check_hash:
            _check_hash(data, end)
        end += _HASH_LENGTH
    return Image(entry, segments, flash_mode, size_frequency & 0x0F, end)


def _decode_segments(data: bytes, count: int) -> tuple[tuple[Segment, ...], int]:
    """The segments after the header, and where they end."""
    segments = []
    position = _HEADER.size
    for _ in range(count):
        if position + _SEGMENT.size > len(data):
            raise ImageError(f"invalid segment length {len(data):#x}")
        address, length = _SEGMENT.unpack_from(data, position)
        position += _SEGMENT.size
        if length % 4 or position + length > len(data):
            raise ImageError(f"invalid segment length {length:#x}")
        segments.append(Segment(address, data[position : position + length]))
        position += length
    return tuple(segments), position


def _check_sum(data: bytes, end: int, segments: tuple[Segment, ...]) -> None:
    expected = _checksum(segments)
    read = data[end - 1] if end <= len(data) else 0xFF
    if read != expected:
        raise ChecksumError(expected, read)


def _check_hash(data: bytes, end: int) -> None:
    if hashlib.sha256(data[:end]).digest() != data[end : end + _HASH_LENGTH]:
        raise ImageError("Image hash failed - image is corrupt")


def _checksum(segments: tuple[Segment, ...]) -> int:
    return reduce(lambda total, segment: total ^ _xor_all(segment.data), segments, CHECKSUM_SEED)


def _xor_all(data: bytes) -> int:
    """The exclusive or of all bytes, folded half on half: megabytes in milliseconds."""
    number = int.from_bytes(data, "little")
    bits = 8 << max(len(data) - 1, 0).bit_length()  # a power of two that holds them all
    while bits > 8:  # noqa: PLR2004 - down to one byte
        bits //= 2
        number = (number >> bits) ^ (number & ((1 << bits) - 1))
    return number
