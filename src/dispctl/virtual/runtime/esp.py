"""MicroPython's `esp`: the flash by its addresses, and the level of the vendor's own log, of which there is none here."""

# ruff: noqa: D103 - the functions are MicroPython's own, described in its documentation

from runtime import bus, flash

LOG_NONE, LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_VERBOSE = range(6)

_user = [0]


def set_up(user_start):
    """Tell where the filesystem begins."""
    _user[0] = user_start


def osdebug(uart, level=LOG_INFO):
    pass


def flash_size():
    return flash.size()


def flash_user_start():
    return _user[0]


def flash_read(offset, buffer):
    flash.Partition(offset, len(buffer)).readblocks(0, buffer)


def flash_write(offset, buffer):
    bus.program(offset, buffer)


def flash_erase(sector):
    bus.erase(sector * flash.BLOCK_SIZE)
