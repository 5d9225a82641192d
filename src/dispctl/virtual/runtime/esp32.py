"""MicroPython's `esp32`: the partitions, the chip's temperature and what else a program asks an ESP32 for."""

# ruff: noqa: D103 - the functions are MicroPython's own, described in its documentation

import errno

from runtime.flash import Partition as _Range

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True
HEAP_DATA = 4
HEAP_EXEC = 1

_layout = []


def set_up(partitions):
    """Offer `partitions`: type, subtype, offset, length, label and whether it is encrypted, of each."""
    _layout[:] = [tuple(entry) for entry in partitions]


class Partition(_Range):
    """A range of the flash found in the partition table."""

    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, label):
        is_program = label in (Partition.BOOT, Partition.RUNNING)
        for entry in _layout:
            if (entry[0] == Partition.TYPE_APP) if is_program else (entry[4] == label):
                super().__init__(entry[2], entry[3])
                self._entry = entry
                return
        raise OSError(errno.ENOENT)

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None, block_size=4096):
        return [
            Partition(entry[4])
            for entry in _layout
            if entry[0] == type and subtype in (0xFF, entry[1]) and label in (None, entry[4])
        ]

    def info(self):
        return self._entry


def raw_temperature():
    return 128


def idf_heap_info(capabilities):
    return []
