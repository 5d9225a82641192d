"""What of `sys`, `micropython` and `os` differs on an ESP32, laid over the built-in modules."""

import builtins
import os as _os
import sys as _sys
from collections import namedtuple

import micropython as _micropython
import vfs
from runtime import bus, console, time

_CTRL_C = 3
_FILE_CALLS = (
    "chdir",
    "ilistdir",
    "listdir",
    "mkdir",
    "remove",
    "rename",
    "rmdir",
    "stat",
    "statvfs",
    "unlink",
)
_HIDDEN = ("getenv", "putenv", "unsetenv", "system", "errno", "VfsPosix")
_Implementation = namedtuple(  # noqa: PYI024 - `typing` does not exist there
    "Implementation", ("name", "version", "_machine", "_mpy", "_build", "_thread")
)
_Uname = namedtuple(  # noqa: PYI024 - likewise
    "Uname", ("sysname", "nodename", "release", "version", "machine")
)

MACHINE = "Generic ESP32 module with ESP32"
PORT = "esp32"


class _Overlay:
    """A module whose own attributes go before those of the built-in one beneath."""

    def __init__(self, beneath, hidden=(), **own):
        for name, value in own.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_beneath", beneath)
        object.__setattr__(self, "_hidden", hidden)

    def __getattr__(self, name):
        if name in self._hidden:
            raise AttributeError(name)
        return getattr(self._beneath, name)

    def __setattr__(self, name, value):
        if hasattr(self._beneath, name) and name in ("ps1", "ps2", "path", "argv"):
            setattr(self._beneath, name, value)
        else:
            object.__setattr__(self, name, value)


def install(release, kernel_version):
    """Put the overlays where `import` finds them; `release` is MicroPython's, as ``1.26.1``."""
    bytecode = _sys.implementation._mpy  # noqa: SLF001 - the name that tools read it by
    version = [int(part) for part in release.split(".")]
    version.append("")  # no pre-release
    modules = _sys.modules
    modules["sys"] = _Overlay(
        _sys,
        platform=PORT,
        version=f"3.4.0; MicroPython {kernel_version}",
        implementation=_Implementation(
            "micropython", tuple(version), MACHINE, bytecode, "ESP32_GENERIC", "GIL"
        ),
        stdin=console.stdin,
        stdout=console.stdout,
        stderr=console.stderr,
        print_exception=console.print_exception,
    )
    modules["micropython"] = _Overlay(_micropython, kbd_intr=kbd_intr)
    uname = _Uname(PORT, PORT, release, kernel_version, MACHINE)
    looking = {name: _looking_outside(getattr(_os, name)) for name in _FILE_CALLS}
    own = {"uname": lambda: uname, "dupterm": lambda *_: None, "sync": lambda: None, "umount": vfs.umount}
    modules["os"] = _Overlay(_os, _HIDDEN, **own, **looking)
    builtins.input = console.read_line
    builtins.open = _looking_outside(open)


def _looking_outside(call):
    """`call` for a program that does nothing but use files: Ctrl-C must not strike in the middle of littlefs."""

    def looking(*arguments, **options):
        time.look_outside()
        return call(*arguments, **options)

    return looking


def kbd_intr(character):
    """Choose the byte that stops a program when it is typed; -1 for none."""
    # The interpreter's own setting stays: SIGINT must go on to mean KeyboardInterrupt and not the end.
    bus.request(bus.KBD_INTR, bytes((character & 0xFF,)))
    if character < 0:
        bus.drop_interrupts()


def execute(run, *arguments):
    """Call `run` with Ctrl-C enabled; whatever it raises passes through."""
    kbd_intr(_CTRL_C)
    try:
        return run(*arguments)
    finally:
        kbd_intr(-1)
