"""Standard output and standard error where they lead into a pipe or a file: what happens when nobody reads them any more.

The other end of a pipe may go away (``dispctl jobs | head -1``), and a disk may be full. Knows nothing of what is written.
"""

from __future__ import annotations

import errno
import io
import sys
from typing import TYPE_CHECKING, TextIO

from dispctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

NOBODY_READS = (errno.EPIPE, errno.EINVAL) if sys.platform == "win32" else (errno.EPIPE,)


def guard_outlets() -> None:
    """From now on results that cannot be written end the program, and messages that cannot be written are dropped.

    Where nobody reads the results it ends with `ExitCode.NOBODY_READS`, silently; else by a `UsageError`. A terminal is
    left as it is.
    """
    sys.stdout = _guarded(sys.stdout, _end_without_reader)
    sys.stderr = _guarded(sys.stderr, _go_on)


def _end_without_reader(error: OSError) -> None:
    if error.errno in NOBODY_READS:
        raise SystemExit(ExitCode.NOBODY_READS) from None
    raise UsageError(f"The result cannot be written: {error.strerror}.") from error


def _go_on(_error: OSError) -> None:
    """Work is not stopped because nobody reads what is told of it."""


def _guarded(stream: TextIO, on_loss: Callable[[OSError], None]) -> TextIO:
    if stream is None or stream.isatty():  # without a console Windows has no streams
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Outlet(stream.fileno(), on_loss)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=getattr(stream, "write_through", False),
    )


class _Outlet(io.FileIO):
    """Tells `on_loss` of the first failure to write; takes and forgets everything afterwards."""

    def __init__(self, number: int, on_loss: Callable[[OSError], None]) -> None:
        super().__init__(number, "w", closefd=False)
        self._on_loss = on_loss
        self._lost = False

    def write(self, data: Buffer, /) -> int:
        size = memoryview(data).nbytes
        if self._lost:
            return size
        try:
            return super().write(data)
        except OSError as error:
            self._lost = True
            self._on_loss(error)
            return size
