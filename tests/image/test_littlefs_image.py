"""littlefs images: what goes in comes out, on a flash that held something else, after a cut, and out of a damaged one."""

import contextlib
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispctl.errors import DamagedError
from dispctl.image import littlefs_image
from dispctl.image.littlefs_image import (
    BLOCK_SIZE,
    SUPERBLOCK_LENGTH,
    ReadOnlyFilesystem,
    build,
    changed_blocks,
    recognise,
)
from dispctl.image.micropython_image import DISK_VERSION_2_0, DISK_VERSION_2_1

LENGTH = 64 * BLOCK_SIZE
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=60).filter(
    lambda name: name not in {".", ".."}
)
CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.integers(0, 20_000).map(lambda length: b"\xff" * length),
    st.integers(100, 20_000).map(lambda length: random.Random(length).randbytes(length)),
)
FILES = st.dictionaries(st.builds("/{}".format, NAMES), CONTENTS, max_size=8)
EXAMPLE = {
    "/main.py": b"from firmware import main\n",
    "/job_state": b"j" * 900,
    "/job_state.progress": b"p" * 60,
    "/firmware/pour.py": b"a" * 9000,
    "/lib/deep/er.py": b"x",
}


def reader(data: bytes) -> Callable[[int, int], bytes]:
    """How a filesystem reads `data`."""
    return lambda offset, length: bytes(data[offset : offset + length])


def contents(data: bytes) -> dict[str, bytes]:
    """Every file of the image `data`."""
    return read_everything(reader(data), len(data))


def read_everything(read: Callable[[int, int], bytes], length: int = LENGTH) -> dict[str, bytes]:
    """Every file of the medium that `read` reads."""
    filesystem = ReadOnlyFilesystem(read, length)
    return {path: filesystem.read_file(path) for path in filesystem.paths()}


@settings(max_examples=60, deadline=None)
@given(files=FILES)
def test_what_goes_in_comes_out_whatever_the_flash_held(files: dict[str, bytes]) -> None:
    flash = bytearray(random.Random(1).randbytes(LENGTH))
    for offset, data in build(files, LENGTH).runs():
        flash[offset : offset + len(data)] = data
    assert contents(bytes(flash)) == files


def test_folders_are_made() -> None:
    assert contents(build(EXAMPLE, LENGTH).data) == EXAMPLE


@pytest.mark.parametrize("disk_version", [DISK_VERSION_2_0, DISK_VERSION_2_1])
def test_the_disk_version_is_the_one_asked_for(disk_version: int) -> None:
    data = build(EXAMPLE, LENGTH, disk_version=disk_version).data
    assert ReadOnlyFilesystem(reader(data), LENGTH).disk_version == disk_version


def test_superblocks_are_written_last_so_that_a_cut_leaves_nothing_or_everything() -> None:
    old = build({"/old": b"o" * 5000}, LENGTH).data
    new = build(EXAMPLE, LENGTH)
    steps = new.runs()
    for done in range(len(steps) + 1):
        flash = bytearray(old)
        flash[:SUPERBLOCK_LENGTH] = b"\xff" * SUPERBLOCK_LENGTH
        for offset, data in steps[:done]:
            flash[offset : offset + len(data)] = data
        if done < len(steps):
            with pytest.raises(DamagedError):
                contents(bytes(flash))
        else:
            assert contents(bytes(flash)) == EXAMPLE


def test_files_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DamagedError, match="do not fit into a filesystem of 256 KiB"):
        build({"/big": bytes(LENGTH)}, LENGTH)


def test_a_filesystem_smaller_than_its_place_is_read() -> None:
    data = build(EXAMPLE, LENGTH).data
    filesystem = ReadOnlyFilesystem(reader(data + b"\xff" * LENGTH), 2 * LENGTH)
    assert filesystem.paths() == sorted(EXAMPLE)


def test_a_filesystem_larger_than_its_place_is_damaged() -> None:
    data = build(EXAMPLE, LENGTH).data
    with pytest.raises(DamagedError, match=r"reaches beyond its 8 KiB|does not mount|cannot be read"):
        read_everything(reader(data[:8192]), 8192)


def test_only_the_blocks_that_are_needed_are_read() -> None:
    files = {f"/file{number}": bytes([number]) * 3000 for number in range(60)}
    length = 512 * BLOCK_SIZE
    filesystem = ReadOnlyFilesystem(reader(build(files, length).data), length)
    assert filesystem.read_file("/file7") == files["/file7"]
    assert filesystem.blocks_read <= 8


@pytest.mark.parametrize("failure", [RuntimeError("cable pulled"), KeyboardInterrupt()])
@pytest.mark.parametrize("good_reads", [0, 1, 2, 3, 4])
def test_a_failing_medium_is_not_taken_for_an_empty_one(failure: BaseException, good_reads: int) -> None:
    data = build(EXAMPLE, LENGTH).data
    left = [good_reads]

    def read(offset: int, length: int) -> bytes:
        if not left[0]:
            raise failure
        left[0] -= 1
        return data[offset : offset + length]

    with pytest.raises(type(failure)):
        read_everything(read)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_a_damaged_image_gives_files_or_a_sentence(seed: int) -> None:
    """Flipped bits, mostly where the metadata is; nothing is written, nothing else is raised."""
    randomness = random.Random(seed)
    image = build(EXAMPLE, LENGTH)
    damaged = bytearray(image.data)
    for _ in range(randomness.choice([1, 3, 30, 300])):
        start = randomness.choice(image.used_blocks) * BLOCK_SIZE
        damaged[start + randomness.randrange(randomness.choice([64, BLOCK_SIZE]))] ^= (
            1 << randomness.randrange(8)
        )
    before = bytes(damaged)
    with contextlib.suppress(DamagedError):
        contents(before)
    assert bytes(damaged) == before


@pytest.mark.parametrize("disk_version", [DISK_VERSION_2_0, DISK_VERSION_2_1])
def test_removing_a_file_changes_one_block_and_nothing_else(disk_version: int) -> None:
    data = build(EXAMPLE, LENGTH, disk_version=disk_version).data
    changes = changed_blocks(reader(data), LENGTH, ["/job_state"], {})
    assert len(changes) == 1
    changed = bytearray(data)
    for change in changes:
        assert data[change.offset : change.offset + BLOCK_SIZE] == change.old
        changed[change.offset : change.offset + BLOCK_SIZE] = change.new
    assert contents(bytes(changed)) == {path: file for path, file in EXAMPLE.items() if path != "/job_state"}
    assert ReadOnlyFilesystem(reader(bytes(changed)), LENGTH).disk_version == disk_version


def test_removing_what_is_not_there_is_refused() -> None:
    with pytest.raises(DamagedError, match="does not let itself be changed"):
        changed_blocks(reader(build(EXAMPLE, LENGTH).data), LENGTH, ["/nothing"], {})


def test_what_is_there_is_told_from_its_contents() -> None:
    image = build(EXAMPLE, LENGTH).data
    fat = bytearray(b"\xeb\x3c\x90MSDOS5.0".ljust(512, b"\0"))
    fat[510:512] = b"\x55\xaa"
    assert recognise(image[:SUPERBLOCK_LENGTH]) == "littlefs"
    assert recognise(b"\xff" * BLOCK_SIZE + image[:BLOCK_SIZE]) == "littlefs"
    assert recognise(bytes(fat).ljust(SUPERBLOCK_LENGTH, b"\0")) == "fat"
    assert recognise(b"\xff" * SUPERBLOCK_LENGTH) == "blank"
    assert recognise(b"hello".ljust(SUPERBLOCK_LENGTH, b"\0")) == "unknown"


def test_files_inside_metadata_are_short_enough_for_the_board() -> None:
    """The board's cache holds 128 bytes; a longer file inside metadata would be read as less than it is."""
    assert littlefs_image._GEOMETRY["cache_size"] == 128
