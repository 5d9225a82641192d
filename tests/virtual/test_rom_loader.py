"""The loader's protocol without a cable: the ROM's and the stub's answers, byte by byte."""

from __future__ import annotations

import hashlib
import struct
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispctl.virtual import slip
from dispctl.virtual.flash import NorFlash, PowerCutError
from dispctl.virtual.rom_loader import RomLoader
from tests.virtual.loader_host import SYNC, Host, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 0x20000
SECTOR = 0x1000
MAC = bytes.fromhex("246f28aabbcc")
OLD = bytes(SIZE)  # what is in the flash before

ROM_DONE, STUB_DONE = bytes(4), bytes(2)
FLASH_BEGIN, FLASH_DATA, FLASH_END = 0x02, 0x03, 0x04
DEFL_BEGIN, DEFL_DATA, DEFL_END = 0x10, 0x11, 0x12
READ_SLOW, CHANGE_BAUD, MD5 = 0x0E, 0x0F, 0x13
ERASE_FLASH, ERASE_REGION, READ_FLASH, RUN_USER_CODE = 0xD0, 0xD1, 0xD2, 0xD3


@pytest.fixture
def flash(tmp_path: Path) -> Iterator[NorFlash]:
    with closing(NorFlash(tmp_path / "flash.bin", SIZE)) as chip:
        chip.program(0, OLD)
        yield chip


@pytest.fixture
def left() -> list[str]:
    """Gets an entry when the loader tells its owner to boot."""
    return []


@pytest.fixture
def rom(flash: NorFlash, left: list[str]) -> Host:
    """A host that speaks to the ROM."""
    return Host(RomLoader(flash, MAC, on_reset=lambda: left.append("left")))


@pytest.fixture
def stub(flash: NorFlash, left: list[str]) -> Host:
    """A host that speaks to the stub."""
    host = Host(RomLoader(flash, MAC, on_reset=lambda: left.append("left")))
    host.start_stub()
    return host


def pattern(length: int) -> bytes:
    """Bytes that do not compress to nothing."""
    return hashlib.shake_128(b"pattern").digest(length)


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


# Connecting


def test_the_rom_answers_a_sync_eight_times(rom: Host) -> None:
    answers = [parse(frame) for frame in rom.send(0x08, SYNC)]
    assert [(one.operation, one.body) for one in answers] == [(0x08, ROM_DONE)] * 8
    assert all(one.value != 0 for one in answers)


def test_the_stub_answers_a_sync_with_the_value_0(stub: Host) -> None:
    answers = [parse(frame) for frame in stub.send(0x08, SYNC)]
    assert [(one.value, one.body) for one in answers] == [(0, STUB_DONE)] * 8


def test_a_stub_loaded_over_the_stub_greets_again(stub: Host) -> None:
    answer, greeting = stub.start_stub()
    assert (parse(answer).body, greeting) == (STUB_DONE, b"OHAI")
    assert parse(stub.send(0x08, SYNC)[0]).body == STUB_DONE


def test_a_sync_with_other_contents_is_refused(rom: Host) -> None:
    assert rom.ask(0x08, b"hello").body == b"\x01\x05\0\0"


def test_the_first_sync_sets_the_speed(rom: Host) -> None:
    assert rom.loader.baud is None
    rom.loader.line_baud = 57600
    rom.send(0x08, SYNC)
    rom.loader.line_baud = 115200
    rom.send(0x08, SYNC)
    assert rom.loader.baud == 57600
    divider = rom.read_register(0x3FF40014)
    assert divider & 0xFFFFF == 40_000_000 // 57600


def test_what_the_rom_does_not_know_it_says_eight_times_under_another_number(rom: Host) -> None:
    answers = [parse(frame) for frame in rom.send(0x14)]
    assert len(answers) == 8
    assert all(one.operation != 0x14 and one.body == b"\x01\x05\0\0" for one in answers)


def test_what_the_stub_does_not_know_it_says_once(stub: Host) -> None:
    assert stub.ask(0x14).body == b"\xff\0"


def test_frames_that_are_no_requests_are_ignored(rom: Host) -> None:
    assert rom.send_frame(b"short") == []
    assert rom.send_frame(struct.pack("<BBHI", 1, 0x08, 0, 0)) == []
    assert rom.send_frame(struct.pack("<BBHI", 0, 0x08, 99, 0)) == []


# Registers


def test_the_registers_tell_an_esp32_of_revision_3_1_and_its_mac(rom: Host) -> None:
    assert rom.read_register(0x40001000) == 0x00F01D83
    low, high = rom.read_register(0x3FF5A004), rom.read_register(0x3FF5A008)
    assert struct.pack(">II", high, low)[2:] == MAC
    assert rom.read_register(0x3FF5A00C) >> 15 & 1 == 1
    assert rom.read_register(0x3FF5A014) >> 20 & 1 == 1
    assert rom.read_register(0x3FF6607C) >> 31 == 1


def test_a_register_is_written_under_its_mask(rom: Host) -> None:
    rom.ask_words(0x09, 0x3FF48074, 0xFFFF_FFFF, 0x0F0F_0000, 0)
    rom.ask_words(0x09, 0x3FF48074, 0, 0x0F00_0000, 0)
    assert rom.read_register(0x3FF48074) == 0x000F_0000


def test_a_register_write_of_a_wrong_length_is_refused(rom: Host) -> None:
    assert rom.ask_words(0x09, 1, 2, 3).body == b"\x01\x05\0\0"
    assert rom.ask(0x0A, b"abc").body == b"\x01\x05\0\0"


# Speed and the stub


def test_the_rom_takes_a_corrected_speed_exactly(rom: Host) -> None:
    cycles = rom.read_register(0x3FF5F06C) >> 7
    measured = cycles * 15625 * (rom.read_register(0x3FF5A010) & 0xFF) // 40
    assert rom.ask_words(CHANGE_BAUD, 921600 * measured // 40_000_000, 0).body == ROM_DONE
    assert rom.loader.baud == pytest.approx(921600, abs=2)


def test_the_stub_takes_the_speed_it_is_told(stub: Host) -> None:
    assert stub.ask_words(CHANGE_BAUD, 460800, 115200).body == STUB_DONE
    assert stub.loader.baud == 460800


def test_a_speed_of_nothing_is_refused(rom: Host) -> None:
    rom.send(0x08, SYNC)
    assert rom.ask_words(CHANGE_BAUD, 0, 0).body == b"\x01\x05\0\0"
    assert rom.loader.baud == 115200


def test_an_uploaded_stub_greets(rom: Host) -> None:
    answer, greeting = rom.start_stub()
    assert parse(answer).body == ROM_DONE
    assert greeting == b"OHAI"
    assert rom.loader.stub_running


def test_another_uploaded_program_never_says_anything(rom: Host) -> None:
    rom.ask_words(0x05, 4, 1, 0x1800, 0x40080000)
    rom.send_block(0x07, b"code")
    assert len(rom.send(0x06, struct.pack("<II", 0, 0x40080000))) == 1
    assert rom.send(0x08, SYNC) == []
    rom.loader.reset()
    assert len(rom.send(0x08, SYNC)) == 8


def test_an_upload_larger_than_announced_is_refused(rom: Host) -> None:
    rom.ask_words(0x05, 2, 1, 0x1800, 0x40080000)
    assert rom.send_block(0x07, b"code").body[0] == 1


def test_the_end_of_an_upload_that_does_not_run_it_stays_in_the_rom(rom: Host) -> None:
    assert rom.send(0x06, struct.pack("<II", 1, 0)) != []
    assert len(rom.send(0x08, SYNC)) == 8


# Writing


def test_the_rom_erases_when_a_download_begins(rom: Host, flash: NorFlash) -> None:
    assert rom.ask_words(FLASH_BEGIN, 2 * SECTOR, 8, 0x400, SECTOR).body == ROM_DONE
    assert flash.read(0, 4 * SECTOR) == bytes(SECTOR) + b"\xff" * 2 * SECTOR + bytes(SECTOR)


def test_the_stub_erases_as_it_writes(stub: Host, flash: NorFlash) -> None:
    stub.ask_words(FLASH_BEGIN, 3 * SECTOR, 3, SECTOR, SECTOR)
    assert flash.erases == 0
    stub.send_block(FLASH_DATA, pattern(SECTOR))
    assert flash.read(SECTOR, 2 * SECTOR) == pattern(SECTOR) + bytes(SECTOR)
    assert flash.erases == 1


@pytest.mark.parametrize("offset", [SECTOR, SECTOR + 0x210])
def test_a_plain_download_is_written_and_its_padding_is_not(stub: Host, flash: NorFlash, offset: int) -> None:
    data = pattern(0x1234)
    stub.ask_words(FLASH_BEGIN, len(data), 2, SECTOR, offset)
    flash.programmed_bytes = 0
    for sequence in range(2):
        block = data[sequence * SECTOR :][:SECTOR].ljust(SECTOR, b"\xff")
        assert stub.send_block(FLASH_DATA, block, sequence).body == STUB_DONE
    assert flash.read(offset, len(data)) == data
    assert flash.programmed_bytes == len(data)
    assert flash.read(SECTOR, offset - SECTOR) == b"\xff" * (offset - SECTOR)
    assert stub.ask_words(FLASH_END, 1).body == STUB_DONE


@pytest.mark.parametrize("loader", ["rom", "stub"])
def test_a_compressed_download_is_inflated(
    loader: str, request: pytest.FixtureRequest, flash: NorFlash
) -> None:
    host: Host = request.getfixturevalue(loader)
    data = pattern(0x900) + bytes(0x3000) + pattern(0x333)
    packed = zlib.compress(data)
    host.ask_words(DEFL_BEGIN, len(data), -(-len(packed) // 0x400), 0x400, SECTOR)
    for sequence, start in enumerate(range(0, len(packed), 0x400)):
        assert host.send_block(DEFL_DATA, packed[start : start + 0x400], sequence).body[0] == 0
    assert flash.read(SECTOR, len(data)) == data
    digest = md5(data)
    shown = digest.hex().encode() + ROM_DONE if loader == "rom" else digest + STUB_DONE
    assert host.ask_words(MD5, SECTOR, len(data), 0, 0).body == shown


def test_no_program_operation_crosses_a_page(
    stub: Host, flash: NorFlash, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[tuple[int, int]] = []
    monkeypatch.setattr(flash, "program", lambda offset, data: pages.append((offset, len(data))))
    stub.ask_words(FLASH_BEGIN, 0x400, 1, 0x400, SECTOR + 0x80)
    stub.send_block(FLASH_DATA, pattern(0x400))
    assert pages[0] == (SECTOR + 0x80, 0x80)
    assert all(offset // 256 == (offset + length - 1) // 256 for offset, length in pages)


@pytest.mark.parametrize(("loader", "wrong_sum"), [("rom", b"\x01\x07\0\0"), ("stub", b"\xc1\0")])
def test_a_wrong_checksum_is_refused_and_nothing_is_written(
    loader: str, wrong_sum: bytes, request: pytest.FixtureRequest, flash: NorFlash
) -> None:
    host: Host = request.getfixturevalue(loader)
    host.ask_words(FLASH_BEGIN, 4, 1, 4, SECTOR)
    written = flash.programmed_bytes
    assert host.ask(FLASH_DATA, struct.pack("<IIII", 4, 0, 0, 0) + b"data", check=0).body == wrong_sum
    assert flash.programmed_bytes == written


def test_a_block_shorter_than_it_says_is_refused(stub: Host) -> None:
    stub.ask_words(FLASH_BEGIN, 8, 1, 8, SECTOR)
    assert stub.ask(FLASH_DATA, struct.pack("<IIII", 8, 0, 0, 0) + b"data").body == b"\xc0\0"


def test_data_without_a_beginning_is_refused(rom: Host, stub: Host) -> None:
    assert rom.send_block(FLASH_DATA, b"data").body == b"\x01\x06\0\0"
    assert stub.send_block(DEFL_DATA, b"data").body == b"\xc6\0"
    assert stub.ask_words(FLASH_END, 1).body == b"\xc6\0"


def test_more_data_than_announced_is_refused(stub: Host) -> None:
    stub.ask_words(FLASH_BEGIN, 4, 1, 4, SECTOR)
    assert stub.send_block(FLASH_DATA, b"salt").body == STUB_DONE
    assert stub.send_block(FLASH_DATA, b"salt").body == b"\xc9\0"
    stub.ask_words(DEFL_BEGIN, 4, 1, 64, SECTOR)
    assert stub.send_block(DEFL_DATA, zlib.compress(b"pepper")).body == b"\xc9\0"


def test_a_download_that_ends_too_soon_is_refused(stub: Host) -> None:
    stub.ask_words(DEFL_BEGIN, 100, 1, 64, SECTOR)
    stub.send_block(DEFL_DATA, zlib.compress(b"pepper"))
    assert stub.ask_words(DEFL_END, 1).body == b"\xc8\0"


def test_a_damaged_compressed_stream_is_refused(rom: Host, stub: Host) -> None:
    for host, refusal in ((rom, b"\x01\x0b\0\0"), (stub, b"\xc7\0")):
        host.ask_words(DEFL_BEGIN, 100, 1, 64, SECTOR)
        assert host.send_block(DEFL_DATA, b"this is not zlib").body == refusal


def test_a_download_beyond_the_end_is_refused_before_anything_is_erased(rom: Host, flash: NorFlash) -> None:
    assert rom.ask_words(FLASH_BEGIN, 2 * SECTOR, 8, 0x400, SIZE - SECTOR).body == b"\x01\x08\0\0"
    assert flash.erases == 0


# Erasing and reading


def test_the_stub_erases_regions_and_all(stub: Host, flash: NorFlash) -> None:
    assert stub.ask_words(ERASE_REGION, SECTOR, SECTOR).body == STUB_DONE
    assert flash.read(0, 3 * SECTOR) == bytes(SECTOR) + b"\xff" * SECTOR + bytes(SECTOR)
    assert stub.ask(ERASE_FLASH).body == STUB_DONE
    assert flash.read(0, SIZE) == b"\xff" * SIZE


@pytest.mark.parametrize(("offset", "length"), [(1, SECTOR), (0, 100), (SIZE, SECTOR)])
def test_an_erase_that_is_not_of_whole_sectors_is_refused(stub: Host, offset: int, length: int) -> None:
    assert stub.ask_words(ERASE_REGION, offset, length).body == b"\xc4\0"


def test_the_rom_neither_erases_nor_streams(rom: Host) -> None:
    assert len(rom.send(ERASE_FLASH)) == 8
    assert len(rom.send(READ_FLASH, bytes(16))) == 8


def test_the_rom_reads_in_answers_of_64_bytes(rom: Host, flash: NorFlash) -> None:
    flash.erase_sector(0)
    flash.program(0, pattern(64))
    assert rom.ask_words(READ_SLOW, 0, 64).body == pattern(64) + ROM_DONE
    assert rom.ask_words(READ_SLOW, 2, 3).body == pattern(5)[2:].ljust(64, b"\0") + ROM_DONE
    assert rom.ask_words(READ_SLOW, 0, 65).body == b"\x01\x05\0\0"
    assert rom.ask_words(READ_SLOW, SIZE - 10, 64).body == b"\x01\x09\0\0"


def test_the_stub_streams_one_block_for_each_acknowledgement_and_then_the_md5(
    stub: Host, flash: NorFlash
) -> None:
    flash.erase(0, 3 * SECTOR)
    flash.program(0, pattern(2 * SECTOR + 100))
    answer, block = stub.send(READ_FLASH, struct.pack("<IIII", 0, 2 * SECTOR + 100, SECTOR, 64))
    assert parse(answer).body == STUB_DONE
    received = block
    while len(received) < 2 * SECTOR + 100:
        (block,) = stub.send_frame(struct.pack("<I", len(received)))
        received += block
    assert stub.send_frame(struct.pack("<I", len(received))) == [md5(received)]
    assert received == pattern(2 * SECTOR + 100)
    assert len(stub.send(0x08, SYNC)) == 8


def test_a_wider_window_keeps_more_blocks_on_their_way(stub: Host) -> None:
    _, *blocks = stub.send(READ_FLASH, struct.pack("<IIII", 0, 0x8000, SECTOR, 4 * SECTOR))
    assert len(blocks) == 4
    assert len(stub.send_frame(struct.pack("<I", 2 * SECTOR))) == 2


def test_anything_but_an_acknowledgement_ends_the_stream(stub: Host) -> None:
    stub.send(READ_FLASH, struct.pack("<IIII", 0, 0x8000, SECTOR, 64))
    assert stub.send(0x08, SYNC) == []
    assert len(stub.send(0x08, SYNC)) == 8


def test_a_stream_of_nothing_is_its_md5(stub: Host) -> None:
    _, digest = stub.send(READ_FLASH, struct.pack("<IIII", 0, 0, SECTOR, 64))
    assert digest == md5(b"")


@pytest.mark.parametrize("words", [(0, 100, 0, 64), (SIZE, 1, SECTOR, 64)])
def test_a_stream_that_cannot_be_is_refused(stub: Host, words: tuple[int, ...]) -> None:
    assert stub.ask_words(READ_FLASH, *words).body != STUB_DONE
    assert len(stub.send(0x08, SYNC)) == 8


# Leaving, and the power


def test_the_rom_leaves_for_the_program_in_the_flash(rom: Host, left: list[str]) -> None:
    assert rom.ask_words(FLASH_END, 1).body == ROM_DONE
    assert left == ["left"]
    assert rom.send(0x08, SYNC) == []


def test_the_stub_leaves_without_a_word(stub: Host, left: list[str]) -> None:
    assert stub.send(RUN_USER_CODE) == []
    assert left == ["left"]


def test_a_reset_by_the_stub_ends_in_the_rom(stub: Host, left: list[str]) -> None:
    stub.ask_words(FLASH_BEGIN, 0, 0, 0x4000, 0)
    raw = stub.loader.feed(slip.encode(struct.pack("<BBHII", 0, FLASH_END, 4, 0, 0)))
    assert raw.endswith(b"boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n")
    assert not left
    assert not stub.loader.stub_running
    assert stub.loader.baud is None
    assert len(stub.send(0x08, SYNC)) == 8


def test_a_power_cut_in_the_flash_comes_through(rom: Host, flash: NorFlash) -> None:
    flash.cut_at(flash.operations + 2)
    with pytest.raises(PowerCutError):
        rom.ask_words(FLASH_BEGIN, 4 * SECTOR, 4, 0x400, 0)
    assert flash.read(0, 2 * SECTOR) == b"\xff" * SECTOR + bytes(SECTOR)


# Anything


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    stubbed=st.booleans(),
    requests=st.lists(
        st.tuples(
            st.one_of(st.sampled_from([*range(2, 0x15), *range(0xD0, 0xD4)]), st.integers(0, 255)),
            st.one_of(
                st.binary(max_size=40),
                st.lists(st.integers(0, SIZE + 1), max_size=6).map(
                    lambda words: struct.pack(f"<{len(words)}I", *words)
                ),
            ),
            st.integers(0, 255),
        ),
        max_size=8,
    ),
    noise=st.binary(max_size=30),
)
def test_any_requests_are_answered_or_ignored(
    flash: NorFlash, stubbed: bool, requests: list[tuple[int, bytes, int]], noise: bytes
) -> None:
    host = Host(RomLoader(flash, MAC))
    if stubbed:
        host.start_stub()
    for operation, data, check in requests:
        host.send(operation, data, check)
    host.loader.feed(noise)
    host.loader.reset()
    assert len(host.send(0x08, SYNC)) == 8
