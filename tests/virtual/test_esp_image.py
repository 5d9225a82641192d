"""What boots of any flash: the image made here, a real one's features, damage of every kind, nothing at all."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispctl.virtual import app_image, partitions
from dispctl.virtual.app_image import Segment
from dispctl.virtual.boot_text import ResetCause
from dispctl.virtual.esp_image import (
    APP_OFFSET,
    IMAGE_OFFSET,
    MicroPythonFound,
    NotBootable,
    build_image,
    inspect,
)
from dispctl.virtual.flash import NorFlash
from dispctl.virtual.partitions import TABLE_OFFSET, Partition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = build_image()
NVS = Partition("nvs", 1, 2, 0x9000, 0x6000)
OTA = (Partition("ota_0", 0, 0x10, 0x10000, 0x180000), Partition("ota_1", 0, 0x11, 0x190000, 0x180000))


@pytest.fixture
def flash(tmp_path: Path) -> Iterator[NorFlash]:
    with closing(NorFlash(tmp_path / "flash.bin")) as chip:
        yield chip


def write(flash: NorFlash, offset: int, data: bytes) -> None:
    """Erase what `data` covers, and write it."""
    start, end = offset - offset % 4096, offset + len(data)
    flash.erase(start, -(-(end - start) // 4096) * 4096)
    flash.program(offset, data)


def refused(flash: NorFlash) -> NotBootable:
    plan = inspect(flash)
    assert isinstance(plan, NotBootable)
    return plan


def found(flash: NorFlash) -> MicroPythonFound:
    plan = inspect(flash)
    assert isinstance(plan, MicroPythonFound)
    return plan


def app(*texts: bytes) -> bytes:
    """An application whose segments are `texts`."""
    padded = [text + bytes(-len(text) % 4) for text in texts]
    return app_image.encode(0x40080000, tuple(Segment(0x3F400020, text) for text in padded))


def test_a_blank_flash_has_no_boot_loader(flash: NorFlash) -> None:
    plan = refused(flash)
    assert plan.texts == (b"invalid header: 0xffffffff\r\n",) * 8
    assert plan.next_cause is ResetCause.RTCWDT_RTC_RESET


def test_other_bytes_are_shown_as_the_header_they_are_not(flash: NorFlash) -> None:
    flash.program(IMAGE_OFFSET, bytes(4))
    assert refused(flash).texts[0] == b"invalid header: 0x00000000\r\n"


def test_the_image_boots_with_the_filesystem_in_the_rest_of_the_flash(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, IMAGE)
    plan = found(flash)
    assert (plan.version, plan.offset, plan.length) == ("v1.28.0", 0x200000, 0x200000)
    assert plan.text.startswith(b"configsip: 0, SPIWP:0xee\r\n")
    assert b"mode:DIO, clock div:2\r\nload:0x3fff0030,len:80\r\n" in plan.text
    assert plan.text.endswith(b"entry 0x400805cc\r\n")


def test_the_image_with_an_entry_for_the_filesystem(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, build_image("v1.24.1", vfs_entry=True))
    plan = found(flash)
    assert (plan.version, plan.offset, plan.length) == ("v1.24.1", 0x200000, 0x200000)


def test_on_a_larger_flash_the_filesystem_is_larger(tmp_path: Path) -> None:
    with closing(NorFlash(tmp_path / "flash.bin", 0x800000)) as flash:
        write(flash, IMAGE_OFFSET, IMAGE)
        assert (found(flash).offset, found(flash).length) == (0x200000, 0x600000)


def test_a_real_build_is_known_by_its_banner_in_any_segment(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, IMAGE)
    banner = b"\0MicroPython v1.26.1 on 2025-09-11; %s with %s\0"
    write(flash, APP_OFFSET, app(b"read-only data", banner))
    assert found(flash).version == "v1.26.1"


def test_a_build_without_a_banner_is_known_by_its_description(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, IMAGE)
    write(flash, APP_OFFSET, app(IMAGE[APP_OFFSET - IMAGE_OFFSET + 0x20 :][:256]))
    assert found(flash).version == "v1.28.0"


def test_another_program_runs_and_is_silent(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, IMAGE)
    write(flash, APP_OFFSET, app(b"blink"))
    plan = refused(flash)
    assert plan.next_cause is None
    assert plan.texts[0].endswith(b"entry 0x400805cc\r\n")


def test_a_damaged_application_does_not_boot(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, IMAGE)
    flash.program(APP_OFFSET + 0x30, bytes(4))
    plan = refused(flash)
    (text,) = plan.texts
    assert b"E (60) esp_image: Checksum failed. Calculated" in text
    assert text.endswith(b"boot: No bootable app partitions in the partition table\r\n")
    assert plan.next_cause is ResetCause.SW_RESET


def test_a_damaged_partition_table_does_not_boot(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, IMAGE)
    flash.erase_sector(TABLE_OFFSET)
    assert b"flash_parts: partition 0 invalid magic number 0xffff\r\n" in refused(flash).texts[0]


def test_a_damaged_boot_loader_does_not_boot(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, IMAGE)
    flash.program(IMAGE_OFFSET + 0x90, bytes(8))
    plan = refused(flash)
    assert plan.texts[0].startswith(b"csum err:0x")
    assert plan.next_cause is ResetCause.RTCWDT_RTC_RESET


def test_a_boot_loader_with_impossible_segments_is_silent_until_the_watchdog(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, IMAGE)
    flash.program(IMAGE_OFFSET + 1, b"\0")
    plan = refused(flash)
    assert (plan.texts, plan.next_cause) == ((), ResetCause.RTCWDT_RTC_RESET)


def test_the_first_good_application_of_several_boots(flash: NorFlash) -> None:
    write(flash, IMAGE_OFFSET, IMAGE[: TABLE_OFFSET - IMAGE_OFFSET])
    write(flash, TABLE_OFFSET, partitions.encode((NVS, *OTA)))
    write(flash, OTA[1].offset, app(b"MicroPython v1.25.0 on 2025-04-15; x"))
    assert found(flash).version == "v1.25.0"
    write(flash, OTA[0].offset, app(b"MicroPython v1.26.0 on 2025-08-09; x"))
    assert found(flash).version == "v1.26.0"
    assert found(flash).offset == OTA[1].end


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    position=st.one_of(
        st.integers(0, 0x200), st.integers(0x7000, 0x7080), st.integers(0xF000, len(IMAGE) - 1)
    ),
    data=st.binary(min_size=1, max_size=16),
)
def test_any_damage_gives_a_plan(flash: NorFlash, position: int, data: bytes) -> None:
    write(flash, IMAGE_OFFSET, IMAGE)
    flash.program(IMAGE_OFFSET + position, data)
    plan = inspect(flash)
    assert isinstance(plan, MicroPythonFound) or plan.reason
