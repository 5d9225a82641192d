"""The filesystem at boot: mounted, made on a blank flash, or complained about for ever when it is damaged."""

import os
import sys

import vfs
from runtime import time
from runtime.flash import BLOCK_SIZE

_FIRST_BOOT_PY = "# Runs first at every boot, before main.py.\n"
_COMPLAINT_EVERY_S = 3


def mount(partition):
    """Make `partition` the root filesystem, formatting it if it is blank; never returns when it is damaged."""
    vfs.umount("/")
    try:
        vfs.mount(vfs.VfsLfs2(partition, progsize=32, readsize=32, lookahead=32), "/")
    except OSError:
        if not _is_blank(partition):
            _complain(partition)
        _format(partition)
    sys.path[:] = ["", ".frozen", "/lib"]
    os.chdir("/")


def _is_blank(partition):
    block = bytearray(BLOCK_SIZE)
    partition.readblocks(0, block)
    return block.count(b"\xff") == BLOCK_SIZE


def _format(partition):
    print("Performing initial setup")
    vfs.VfsLfs2.mkfs(partition, progsize=32, readsize=32, lookahead=32)
    vfs.mount(vfs.VfsLfs2(partition, progsize=32, readsize=32, lookahead=32), "/")
    with open("/boot.py", "w") as file:
        file.write(_FIRST_BOOT_PY)


def _complain(partition):
    sector, sectors = partition.offset // BLOCK_SIZE, partition.length // BLOCK_SIZE
    while True:
        print("The filesystem starting at sector %d with size %d sectors looks corrupt." % (sector, sectors))
        print("Save what can be read of it, or erase the flash and write MicroPython again.")
        time.sleep(_COMPLAINT_EVERY_S)
