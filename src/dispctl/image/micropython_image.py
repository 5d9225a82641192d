"""MicroPython images for the ESP32 as bytes: is this one, is it whole, and what is in it; knows nothing of boards.

Formats: Espressif's "Firmware Image Format" (header, segments, checksum, appended SHA-256) and ESP-IDF's
``esp_app_desc_t``. An image for the ESP32 is written at 0x1000 and holds bootloader, partition table and app.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from functools import reduce
from operator import xor

from dispctl.errors import DamagedError, UsageError
from dispctl.image import partition_table
from dispctl.image.partition_table import TYPE_APP, Partition, Region

IMAGE_OFFSET = 0x1000
ESP32_CHIP_ID = 0
CHIP_NAMES = {
    0: "ESP32",
    2: "ESP32-S2",
    5: "ESP32-C3",
    9: "ESP32-S3",
    12: "ESP32-C2",
    13: "ESP32-C6",
    16: "ESP32-H2",
    18: "ESP32-P4",
    23: "ESP32-C5",
}

IMAGE_MAGIC = 0xE9
_HEADER = struct.Struct("<BBBBI4xHBHH4xB")
_SEGMENT = struct.Struct("<II")
_CHECKSUM_SEED = 0xEF
_CHECKSUM_ALIGNMENT = 16
_SHA256_LENGTH = 32
_MAX_SEGMENTS = 16

_APP_DESCRIPTION_MAGIC = 0xABCD5432
_APP_DESCRIPTION = struct.Struct("<I12x32s32s")
_APP_DESCRIPTION_OFFSET = _HEADER.size + _SEGMENT.size

DISK_VERSION_2_0 = 0x0002_0000
DISK_VERSION_2_1 = 0x0002_0001
_FIRST_WITH_2_1 = (1, 23)

GENERIC_PAGE = "https://micropython.org/download/ESP32_GENERIC/"
WHERE_IMAGES_COME_FROM = (
    f"Images for boards are at {GENERIC_PAGE}; dispctl sim image FILE makes one for the virtual board."
)


@dataclass(frozen=True)
class MicroPythonImage:
    """A whole, checked image and what it says of itself."""

    data: bytes
    version: str
    partitions: tuple[Partition, ...]
    app: Region

    @property
    def disk_version(self) -> int:
        """The newest littlefs disk version that this MicroPython mounts."""
        return disk_version_of(self.version)

    def pieces(self) -> list[tuple[int, bytes]]:
        """(flash offset, bytes) to write: the image without the erased padding over data that the board keeps there."""
        kept = [partition.region for partition in self.partitions if partition.type != TYPE_APP]
        pieces, start = [], IMAGE_OFFSET
        for region in sorted((r for r in kept if r.end <= self.app.offset), key=lambda region: region.offset):
            if not _is_erased(self._between(region.offset, region.end)):
                continue
            pieces.append((start, self._between(start, region.offset)))
            start = region.end
        pieces.append((start, self._between(start, IMAGE_OFFSET + len(self.data))))
        return [(offset, data) for offset, data in pieces if data]

    def _between(self, start: int, end: int) -> bytes:
        return self.data[start - IMAGE_OFFSET : end - IMAGE_OFFSET]


def parse(data: bytes, *, source: str) -> MicroPythonImage:
    """Check a MicroPython image to be written at 0x1000; `source` names it in failures.

    Raises DamagedError when it is no ESP32 image or not whole, UsageError when it is one of another chip or program.
    """
    _check_chip(data, source)
    check_segments(data, what=f"The bootloader in {source}")
    table_start = partition_table.TABLE_OFFSET - IMAGE_OFFSET
    try:
        partitions = partition_table.parse(data[table_start : table_start + partition_table.TABLE_LENGTH])
    except DamagedError as error:
        raise DamagedError(
            f"{source} is not a whole image: {error.message}", hint=WHERE_IMAGES_COME_FROM
        ) from error
    app = _app_region(partitions, source)
    app_data = data[app.offset - IMAGE_OFFSET :]
    length = check_segments(app_data, what=f"The program in {source}", needs_digest=True)
    if max(length, len(app_data)) > app.length:
        raise DamagedError(
            f"{source} is larger than the partition of its program: it would overwrite what lies behind.",
            hint=WHERE_IMAGES_COME_FROM,
        )
    project, version = app_description(app_data)
    if project != "micropython":
        raise UsageError(f"{source} is not MicroPython but {project}.", hint=WHERE_IMAGES_COME_FROM)
    return MicroPythonImage(data, version, partitions, Region(app.offset, length))


def check_segments(data: bytes, *, what: str, needs_digest: bool = False) -> int:
    """Follow the segments, check checksum and appended SHA-256; returns the image's length in bytes.

    Raises DamagedError, whose sentence begins with `what`; with `needs_digest` also when there is no SHA-256.
    """
    if len(data) < _HEADER.size or data[0] != IMAGE_MAGIC:
        raise DamagedError(f"{what} is not an ESP32 image.", hint=WHERE_IMAGES_COME_FROM)
    header = _HEADER.unpack_from(data)
    count, has_digest = int(header[1]), bool(header[-1] == 1)
    checksum, end = _CHECKSUM_SEED, _HEADER.size
    for _ in range(min(count, _MAX_SEGMENTS)):
        if end + _SEGMENT.size > len(data):
            raise _truncated(what)
        start = end + _SEGMENT.size
        end = start + int(_SEGMENT.unpack_from(data, end)[1])
        if end > len(data):
            raise _truncated(what)
        checksum ^= _xor_of(data[start:end])
    end += _CHECKSUM_ALIGNMENT - end % _CHECKSUM_ALIGNMENT
    if end + _SHA256_LENGTH * has_digest > len(data):
        raise _truncated(what)
    if data[end - 1] != checksum:
        raise _damaged(what, "checksum")
    if needs_digest and not has_digest:
        raise _damaged(what, "SHA-256")
    if has_digest and data[end : end + _SHA256_LENGTH] != hashlib.sha256(data[:end]).digest():
        raise _damaged(what, "SHA-256")
    return end + _SHA256_LENGTH * has_digest


def app_description(app: bytes) -> tuple[str, str]:
    """(project name, version) of the program whose image begins `app`; raises DamagedError when it says neither."""
    if len(app) < _APP_DESCRIPTION_OFFSET + _APP_DESCRIPTION.size:
        raise DamagedError("The program says nothing of itself.", hint=WHERE_IMAGES_COME_FROM)
    magic, version, project = _APP_DESCRIPTION.unpack_from(app, _APP_DESCRIPTION_OFFSET)
    if magic != _APP_DESCRIPTION_MAGIC:
        raise DamagedError("The program says nothing of itself.", hint=WHERE_IMAGES_COME_FROM)
    return _text(project), _text(version)


APP_HEAD_LENGTH = _APP_DESCRIPTION_OFFSET + _APP_DESCRIPTION.size
"""How many bytes of a program `app_description` needs."""


def disk_version_of(version: str) -> int:
    """The littlefs disk version that MicroPython `version` (``v1.24.1``) mounts; every one mounts 2.0."""
    release = release_of(version)
    return DISK_VERSION_2_1 if release and release >= _FIRST_WITH_2_1 else DISK_VERSION_2_0


def release_of(version: str) -> tuple[int, int] | None:
    """(1, 24) for ``v1.24.1`` and its previews; None for what is no version."""
    numbers = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(numbers[1]), int(numbers[2])) if numbers else None


def _check_chip(data: bytes, source: str) -> None:
    if len(data) < _HEADER.size or data[0] != IMAGE_MAGIC:
        raise DamagedError(f"{source} is not an ESP32 image.", hint=WHERE_IMAGES_COME_FROM)
    chip_id = _HEADER.unpack_from(data)[5]
    if chip_id != ESP32_CHIP_ID:
        chip = CHIP_NAMES.get(chip_id, f"chip number {chip_id}")
        raise UsageError(f"{source} is an image for {chip}, not for ESP32.", hint=WHERE_IMAGES_COME_FROM)


def _app_region(partitions: tuple[Partition, ...], source: str) -> Region:
    for partition in partitions:
        if partition.type == TYPE_APP:
            return partition.region
    raise DamagedError(f"{source} has no program in its partition table.", hint=WHERE_IMAGES_COME_FROM)


def _xor_of(data: bytes) -> int:
    """XOR of all bytes, eight lanes at a time."""
    whole = len(data) // 8 * 8
    lanes = reduce(xor, memoryview(data[:whole]).cast("Q"), 0)
    return reduce(xor, lanes.to_bytes(8, "little") + data[whole:], 0)


def _is_erased(data: bytes) -> bool:
    return data.count(0xFF) == len(data)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


def _truncated(what: str) -> DamagedError:
    return DamagedError(f"{what} is cut short.", hint="Download it again. " + WHERE_IMAGES_COME_FROM)


def _damaged(what: str, check: str) -> DamagedError:
    return DamagedError(
        f"{what} does not match its own {check}.", hint="Download it again. " + WHERE_IMAGES_COME_FROM
    )
