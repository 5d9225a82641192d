"""What a UART sends for what the interpreter wrote: carriage returns added, marked bytes as they are.

MicroPython's `print` writes bare line feeds to its standard output; on a chip the console adds the carriage return.
What must stay bare is marked by the stand-ins (``runtime/console.py``): 0xFF stands before a line feed or 0xFF meant as
it is.
"""

from __future__ import annotations

import re

_MARK = 0xFF
_SPECIAL = re.compile(rb"\xff([\s\S])|\n")


class OutputCooker:
    """Turns the process's output into the UART's, across any split of it."""

    def __init__(self) -> None:
        self._marked = b""

    def cook(self, data: bytes) -> bytes:
        """The bytes on the line for the next piece of output; a mark at its end waits for what follows."""
        data = self._marked + data
        self._marked = b""
        if _ends_in_open_mark(data):
            data, self._marked = data[:-1], data[-1:]
        return _SPECIAL.sub(lambda found: found[1] if found[1] is not None else b"\r\n", data)


def _ends_in_open_mark(data: bytes) -> bool:
    marks = len(data) - len(data.rstrip(bytes([_MARK])))
    return marks % 2 == 1
