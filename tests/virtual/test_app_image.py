"""The image format: what was encoded comes back, and damage is named as the boot loader names it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dispctl.virtual import app_image
from dispctl.virtual.app_image import ChecksumError, ImageError, Segment

SEGMENTS = st.lists(
    st.builds(
        Segment,
        st.integers(0, 0xFFFFFFFF),
        st.binary(max_size=64).map(lambda data: data + bytes(-len(data) % 4)),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
IMAGE = app_image.encode(0x40080000, (Segment(0x3FFF0000, b"data" * 50), Segment(0x40080000, b"code" * 70)))
CHECKSUM_AT = len(IMAGE) - 33
HASH_FOLLOWS_AT = 23


@given(SEGMENTS)
def test_images_come_back(segments: tuple[Segment, ...]) -> None:
    encoded = app_image.encode(0x40080000, segments)
    image = app_image.decode(encoded + b"rest", 0)
    assert (image.entry, image.segments, image.length) == (0x40080000, segments, len(encoded))
    assert (len(encoded) - 32) % 16 == 0


def test_a_blank_flash_holds_no_image() -> None:
    with pytest.raises(ImageError, match="image at 0x10000 has invalid magic byte"):
        app_image.decode(b"\xff" * 100, 0x10000)


def test_a_wrong_checksum_is_told_with_both_values() -> None:
    damaged = bytearray(IMAGE)
    damaged[CHECKSUM_AT] ^= 0xFF
    with pytest.raises(ChecksumError) as caught:
        app_image.decode(bytes(damaged), 0)
    assert caught.value.calculated ^ caught.value.read == 0xFF


def test_damage_that_the_checksum_misses_is_found_by_the_hash_alone() -> None:
    damaged = bytearray(IMAGE)
    damaged[4] ^= 1
    assert app_image.decode(bytes(damaged), 0, check_hash=False).entry == 0x40080001
    with pytest.raises(ImageError, match="Image hash failed"):
        app_image.decode(bytes(damaged), 0)


@pytest.mark.parametrize("count", [0, 17])
def test_an_impossible_number_of_segments_is_refused(count: int) -> None:
    with pytest.raises(ImageError, match=f"segment count {count}"):
        app_image.decode(bytes([0xE9, count]) + IMAGE[2:], 0)


@given(st.integers(1, len(IMAGE) - 1))
def test_a_cut_image_is_refused(length: int) -> None:
    with pytest.raises(ImageError):
        app_image.decode(IMAGE[:length], 0)


@given(st.integers(0, len(IMAGE) - 1), st.integers(1, 255))
def test_any_damage_is_noticed(position: int, flip: int) -> None:
    assume((position, flip) != (HASH_FOLLOWS_AT, 1))  # an image that announces no hash is whole without one
    damaged = bytearray(IMAGE)
    damaged[position] ^= flip
    with pytest.raises(ImageError):
        app_image.decode(bytes(damaged), 0)
