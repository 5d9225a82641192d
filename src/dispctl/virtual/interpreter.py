"""Started as a script by `processor`: makes sure that this process ends with its board, then becomes MicroPython.

Arguments: the descriptor of a pipe whose other end the board holds and never writes to, the folder of the wheel's
extension module, then MicroPython's own arguments.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import sys


def end_with(descriptor: int) -> None:
    """Have the kernel end this process (SIGIO, whose default is to) when the pipe's other end is closed."""
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_ASYNC)


def main() -> None:
    """Become MicroPython; returns its exit code through `sys.exit`."""
    end_with(int(sys.argv[1]))
    sys.path.append(sys.argv[2])
    sys.exit(importlib.import_module("micropython_run").run_main(["micropython", *sys.argv[3:]]))


if __name__ == "__main__":
    main()
