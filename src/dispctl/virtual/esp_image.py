"""What is in the flash, seen by a chip that starts: a small image that stands for MicroPython, and what boots of any.

`build_image` makes it; `inspect` looks at a flash as the ROM and the second-stage boot loader do, whatever was written
there: this image, a real MicroPython build, another program, rubbish or nothing.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dispctl.virtual import app_image, boot_text, partitions
from dispctl.virtual.app_image import ChecksumError, Image, ImageError, Segment
from dispctl.virtual.boot_text import ResetCause
from dispctl.virtual.partitions import Partition, PartitionTableError

if TYPE_CHECKING:
    from dispctl.virtual.flash import NorFlash

IMAGE_OFFSET = 0x1000  # where an ESP32 image begins in the flash; the ROM looks for the boot loader here
BOOTLOADER_LENGTH = partitions.TABLE_OFFSET - IMAGE_OFFSET
APP_OFFSET = 0x10000
APP_LENGTH = 0x1F0000
VFS_OFFSET = 0x200000
VFS_LENGTH = 0x200000
DEFAULT_VERSION = "v1.28.0"
PROJECT = "micropython"

ROM_TRIES = 8  # how often the ROM tries a flash without an image before the watchdog resets it

_APP_DESCRIPTION = struct.Struct("<II8x32s32s16s16s32s32sHHB3x72x")
_APP_DESCRIPTION_MAGIC = 0xABCD5432
_BOOTLOADER_DESCRIPTION = struct.Struct("<B3xI32s24s16x")
_BANNER = re.compile(rb"MicroPython (v?\d+\.\d+[\w.+-]*) on ")
_IDF_VERSION = b"v5.5.1"
_ANY_EFUSE_REVISION = 0xFFFF

_LAYOUT = (
    Partition("nvs", partitions.TYPE_DATA, partitions.DATA_NVS, 0x9000, 0x6000),
    Partition("phy_init", partitions.TYPE_DATA, partitions.DATA_PHY, 0xF000, 0x1000),
    Partition("factory", partitions.TYPE_APP, partitions.APP_FACTORY, APP_OFFSET, APP_LENGTH),
)
_VFS = Partition("vfs", partitions.TYPE_DATA, partitions.DATA_FAT, VFS_OFFSET, VFS_LENGTH)


@dataclass(frozen=True)
class MicroPythonFound:
    """MicroPython boots: `version` as it calls itself ("v1.28.0"), its filesystem at `offset`, `length` bytes long.

    `text` is what the chip prints between `boot_text.start` and MicroPython's own first byte. A flash that the program
    fills leaves a filesystem of length 0.
    """

    version: str
    offset: int
    length: int
    text: bytes


@dataclass(frozen=True)
class NotBootable:
    """Nothing boots, for `reason`.

    After `boot_text.start` the chip prints `texts`, one each `boot_text.INVALID_HEADER_PERIOD_S`; then it is reset
    with the cause `next_cause` and begins again, or stays silent where that is None.
    """

    reason: str
    texts: tuple[bytes, ...]
    next_cause: ResetCause | None


BootPlan: TypeAlias = MicroPythonFound | NotBootable


def build_image(version: str = DEFAULT_VERSION, *, vfs_entry: bool = False) -> bytes:
    """A whole image for `IMAGE_OFFSET`: boot loader, partition table, an application that says it is MicroPython.

    With `vfs_entry` the table has an entry for the filesystem, as MicroPython had up to v1.25.
    """
    table = partitions.encode((*_LAYOUT, _VFS) if vfs_entry else _LAYOUT)
    head = _build_bootloader().ljust(BOOTLOADER_LENGTH, b"\xff") + table
    return head.ljust(APP_OFFSET - IMAGE_OFFSET, b"\xff") + _build_app(version)


def inspect(flash: NorFlash) -> BootPlan:
    """What a chip with this flash does when it starts (over-the-air selection data is not looked at)."""
    head = flash.read(IMAGE_OFFSET, BOOTLOADER_LENGTH)
    if head[0] != app_image.MAGIC:
        (word,) = struct.unpack_from("<I", head)
        tries = (boot_text.invalid_header(word),) * ROM_TRIES
        return NotBootable("there is no boot loader in the flash", tries, ResetCause.RTCWDT_RTC_RESET)
    try:
        bootloader = app_image.decode(head, IMAGE_OFFSET, check_hash=False)
    except ImageError as error:
        return _damaged_bootloader(error)
    return _boot(flash, _loading_text(bootloader))


def _damaged_bootloader(error: ImageError) -> NotBootable:
    texts: tuple[bytes, ...] = ()
    if isinstance(error, ChecksumError):
        texts = (boot_text.checksum_error(error.calculated, error.read),)
    return NotBootable(f"the boot loader is damaged: {error}", texts, ResetCause.RTCWDT_RTC_RESET)


def _boot(flash: NorFlash, text: bytes) -> BootPlan:
    """Go on as the second-stage boot loader, after the ROM has said `text`."""
    try:
        table = partitions.decode(flash.read(partitions.TABLE_OFFSET, partitions.TABLE_LENGTH), flash.size)
    except PartitionTableError as error:
        return _stuck(text, ("flash_parts", str(error)), ("boot", "Failed to verify partition table"))
    apps = sorted((one for one in table if one.is_app), key=lambda one: one.subtype)
    errors: list[tuple[str, str]] = []
    for app in apps:
        try:
            image = app_image.decode(flash.read(app.offset, app.length), app.offset)
        except ImageError as error:
            errors += [("esp_image", str(error)), ("boot", f"{_app_name(app)} is not bootable")]
        else:
            return _run(image, table, flash.size, text)
    return _stuck(text, *errors, ("boot", "No bootable app partitions in the partition table"))


def _run(image: Image, table: tuple[Partition, ...], flash_size: int, text: bytes) -> BootPlan:
    version = micropython_version(image)
    if version is None:
        return NotBootable("the program in the flash is not MicroPython", (text,), None)
    for partition in table:
        if partition.label == _VFS.label:
            return MicroPythonFound(version, partition.offset, partition.length, text)
    end = max(partition.end for partition in table)
    return MicroPythonFound(version, end, flash_size - end, text)


def micropython_version(image: Image) -> str | None:
    """The version in the banner of a MicroPython image, or None for another program."""
    for segment in image.segments:
        found = _BANNER.search(segment.data)
        if found:
            return found[1].decode("ascii")
    return _described_version(image)


def _described_version(image: Image) -> str | None:
    """The version in the application description that begins the first segment, if it is MicroPython's."""
    data = image.segments[0].data
    if len(data) < _APP_DESCRIPTION.size:
        return None
    magic, _, version, project, *_ = _APP_DESCRIPTION.unpack_from(data)
    if magic != _APP_DESCRIPTION_MAGIC or project.rstrip(b"\0") != PROJECT.encode():
        return None
    return str(version.rstrip(b"\0").decode("utf-8", "replace"))


def _stuck(text: bytes, *errors: tuple[str, str]) -> NotBootable:
    """The second-stage boot loader gives up: it says why, and resets the chip."""
    log = b"".join(
        boot_text.boot_error(60 + 6 * index, tag, message) for index, (tag, message) in enumerate(errors)
    )
    return NotBootable(errors[0][1], (text + log,), ResetCause.SW_RESET)


def _app_name(app: Partition) -> str:
    if app.subtype == partitions.APP_FACTORY:
        return "Factory app partition"
    return f"OTA app partition slot {app.subtype - partitions.APP_OTA_FIRST}"


def _loading_text(bootloader: Image) -> bytes:
    segments = [(segment.address, len(segment.data)) for segment in bootloader.segments]
    return boot_text.loading(bootloader.flash_mode, bootloader.flash_frequency, segments, bootloader.entry)


def _build_bootloader() -> bytes:
    """A second-stage boot loader's segments at the addresses of a real one, without its code."""
    description = _BOOTLOADER_DESCRIPTION.pack(0x50, 1, _IDF_VERSION, b"Jan  1 2026 00:00:00")
    text = b"boot loader of the dispctl virtual board; holds no code"
    return app_image.encode(
        0x400805CC,
        (Segment(0x3FFF0030, description), Segment(0x40078000, text), Segment(0x40080400, text)),
    )


def _build_app(version: str) -> bytes:
    """An application with MicroPython's description and banner, without its code.

    The first segment lies at 0x20 in the file and is mapped to 0x20 in a page, as the MMU needs it.
    """
    description = _APP_DESCRIPTION.pack(
        _APP_DESCRIPTION_MAGIC, 0, version.encode(), PROJECT.encode(), b"00:00:00", b"Jan  1 2026", _IDF_VERSION,
        bytes(32), 0, _ANY_EFUSE_REVISION, 16,
    )  # fmt: skip
    banner = f"MicroPython {version} on 2026-01-01; Generic ESP32 module with ESP32\0".encode()
    text = b"stands for MicroPython on the dispctl virtual board; holds no code"
    return app_image.encode(
        0x40081000, (Segment(0x3F400020, description + banner), Segment(0x40080000, text))
    )
