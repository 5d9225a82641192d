"""What a board's flash holds, read through its bootloader, block by block and only what is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.errors import DamagedError
from dispctl.image import micropython_image, partition_table
from dispctl.image.littlefs_image import SUPERBLOCK_LENGTH, ReadOnlyFilesystem, recognise

if TYPE_CHECKING:
    from dispctl.adapters.rom import RomSession
    from dispctl.image.partition_table import Partition, Region


@dataclass(frozen=True)
class FoundFilesystem:
    """A region that should hold files, and what is there: ``littlefs``, ``fat``, ``blank`` or ``unknown``."""

    region: Region
    kind: str


def read_partitions(session: RomSession) -> tuple[Partition, ...]:
    """The board's partition table; raises DamagedError when it has none."""
    return partition_table.parse(session.read(partition_table.TABLE_OFFSET, partition_table.TABLE_LENGTH))


def read_micropython_version(session: RomSession, partitions: tuple[Partition, ...]) -> str:
    """The version of the MicroPython on the board; raises DamagedError when there is none."""
    for partition in partitions:
        if partition.type == partition_table.TYPE_APP:
            head = session.read(partition.region.offset, micropython_image.APP_HEAD_LENGTH)
            project, version = micropython_image.app_description(head)
            if project == "micropython":
                return version
    raise DamagedError("There is no MicroPython on the board.", hint=micropython_image.WHERE_IMAGES_COME_FROM)


def find_filesystem(session: RomSession, regions: list[Region]) -> FoundFilesystem:
    """The first of `regions` that holds a littlefs, else the first that holds anything, else a blank one."""
    found = [
        FoundFilesystem(region, recognise(session.read(region.offset, SUPERBLOCK_LENGTH)))
        for region in dict.fromkeys(regions)
    ]
    order = ("littlefs", "fat", "unknown", "blank")
    return min(found, key=lambda filesystem: order.index(filesystem.kind))


def mount(session: RomSession, region: Region) -> ReadOnlyFilesystem:
    """The littlefs in `region`, read block by block as it is needed; raises DamagedError when it does not mount."""
    return ReadOnlyFilesystem(
        lambda offset, length: session.read(region.offset + offset, length), region.length
    )
