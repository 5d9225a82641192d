"""A file that the operator names: read no further than it can be meant, and never waited for; knows nothing of what is in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dispctl.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
"""Opening a pipe does not wait for somebody who writes to it; Windows has neither."""
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


class TooLargeError(UsageError):
    """The file has more in it than what it should be can have."""


def read_given(path: Path, *, what: str, most: int, hint: str | None = None) -> bytes:
    """What is in the file, be it a device or a pipe; a pipe that nobody writes to is empty.

    Raises UsageError where it cannot be read, and TooLargeError where it has more than the `most` bytes that there can be
    in `what` it is ("a recipe"): of a file none is then read, of anything else no more than that.
    """
    number = -1
    try:
        number = os.open(path, os.O_RDONLY | _NO_WAIT | getattr(os, "O_BINARY", 0))
        if _NO_WAIT:
            os.set_blocking(number, True)
        with open(number, "rb", closefd=False) as file:
            size = os.fstat(number).st_size
            content = b"" if size > most else file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint=hint) from error
    finally:
        if number >= 0:
            os.close(number)
    if size > most or len(content) > most:
        found = _amount(size, beside=most) if size > most else "more"
        raise TooLargeError(
            f"{path} is too large: {what} has at most {_amount(most)}, this {found}.", hint=hint
        )
    return content


def _amount(size: int, *, beside: int = 0) -> str:
    """So many bytes, in the largest unit of which there is at least one, unless it then looks like `beside`."""
    for length, unit in _UNITS:
        if size >= length and abs(size - beside) >= length / 10:
            return f"{size / length:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"
