"""The NOR flash: its rules, its counters, and power cuts at any operation."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispctl.virtual.flash import SECTOR_SIZE, FlashFileError, FlashRangeError, NorFlash, PowerCutError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 4 * SECTOR_SIZE


@pytest.fixture
def flash(tmp_path: Path) -> Iterator[NorFlash]:
    with closing(NorFlash(tmp_path / "flash.bin", SIZE)) as chip:
        yield chip


def test_a_new_flash_is_blank(flash: NorFlash) -> None:
    assert flash.read(0, SIZE) == b"\xff" * SIZE
    assert (flash.operations, flash.erases, flash.programmed_bytes) == (0, 0, 0)


def test_programming_only_clears_bits(flash: NorFlash) -> None:
    flash.program(100, b"\xf0\x0f")
    flash.program(100, b"\x3c\xff")
    assert flash.read(99, 4) == b"\xff\x30\x0f\xff"
    assert (flash.operations, flash.programmed_bytes) == (2, 4)


def test_an_erase_sets_one_sector_to_ones(flash: NorFlash) -> None:
    flash.program(0, bytes(SIZE))
    flash.erase_sector(SECTOR_SIZE)
    assert flash.read(0, SIZE) == bytes(SECTOR_SIZE) + b"\xff" * SECTOR_SIZE + bytes(2 * SECTOR_SIZE)
    assert flash.erases == 1


def test_a_region_is_erased_sector_by_sector(flash: NorFlash) -> None:
    flash.erase(SECTOR_SIZE, 2 * SECTOR_SIZE)
    assert (flash.operations, flash.erases) == (2, 2)


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (SIZE, 1), (SIZE - 1, 2), (0, -1)])
def test_nothing_lies_beyond_the_end(flash: NorFlash, offset: int, length: int) -> None:
    with pytest.raises(FlashRangeError, match="not within"):
        flash.read(offset, length)


def test_an_erase_that_is_not_on_a_sectors_edge_is_refused(flash: NorFlash) -> None:
    with pytest.raises(FlashRangeError, match="not the beginning of a sector"):
        flash.erase_sector(1)
    with pytest.raises(FlashRangeError, match="whole number of sectors"):
        flash.erase(0, 100)
    assert flash.operations == 0


def test_contents_stay_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    with closing(NorFlash(path, SIZE)) as flash:
        flash.program(5, b"salt")
    with closing(NorFlash(path, SIZE)) as flash:
        assert flash.read(4, 6) == b"\xffsalt\xff"


def test_a_file_of_another_size_is_not_this_flash(tmp_path: Path) -> None:
    path = tmp_path / "flash.bin"
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(FlashFileError, match="100 bytes, not the flash's"):
        NorFlash(path, SIZE)
    assert path.stat().st_size == 100


def test_another_process_sees_a_change_at_once(flash: NorFlash) -> None:
    reader = "import sys; f = open(sys.argv[1], 'rb'); f.seek(7); print(f.read(6).decode())"
    flash.program(7, b"pepper")
    seen = subprocess.run(
        [sys.executable, "-c", reader, str(flash.path)], capture_output=True, text=True, check=True
    )
    assert seen.stdout == "pepper\n"


def test_a_cut_operation_changes_nothing_and_the_next_one_works(flash: NorFlash) -> None:
    flash.program(0, b"\x00")
    flash.cut_at(flash.operations + 2)
    flash.program(1, b"\x00")
    with pytest.raises(PowerCutError, match="flash operation 3, address 0x2"):
        flash.program(2, b"\x00")
    flash.program(3, b"\x00")
    assert flash.read(0, 4) == b"\x00\x00\xff\x00"
    assert flash.programmed_bytes == 3


def test_a_cut_can_be_taken_back(flash: NorFlash) -> None:
    flash.cut_at(1)
    flash.cut_at(None)
    flash.program(0, b"\x00")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(seed=st.integers(0, 2**32), data=st.binary(min_size=1, max_size=256))
def test_a_torn_program_is_on_the_way_from_old_to_new(flash: NorFlash, seed: int, data: bytes) -> None:
    flash.erase_sector(0)
    flash.cut_at(flash.operations + 1, torn=True, seed=seed)
    with pytest.raises(PowerCutError):
        flash.program(0, data)
    torn = flash.read(0, len(data))
    assert all(seen & will == will for seen, will in zip(torn, data, strict=True))
    edge = next((i for i, (seen, will) in enumerate(zip(torn, data, strict=True)) if seen != will), len(data))
    assert torn[edge + 1 :] == b"\xff" * (len(data) - edge - 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_a_torn_erase_is_the_same_for_the_same_seed(flash: NorFlash, seed: int) -> None:
    seen = []
    for _ in range(2):
        flash.program(0, bytes(SECTOR_SIZE))
        flash.cut_at(flash.operations + 1, torn=True, seed=seed)
        with pytest.raises(PowerCutError):
            flash.erase_sector(0)
        seen.append(flash.read(0, SECTOR_SIZE))
    assert seen[0] == seen[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.integers(0, SIZE - 40), st.binary(min_size=1, max_size=40)),
            st.integers(0, SIZE // SECTOR_SIZE - 1),
        ),
        max_size=15,
    )
)
def test_any_history_agrees_with_a_plain_model(flash: NorFlash, steps: list[tuple[int, bytes] | int]) -> None:
    flash.erase(0, SIZE)
    model = bytearray(b"\xff" * SIZE)
    for step in steps:
        if isinstance(step, int):
            flash.erase_sector(step * SECTOR_SIZE)
            model[step * SECTOR_SIZE : (step + 1) * SECTOR_SIZE] = b"\xff" * SECTOR_SIZE
        else:
            offset, data = step
            flash.program(offset, data)
            for index, byte in enumerate(data):
                model[offset + index] &= byte
    assert flash.read(0, SIZE) == bytes(model)
