"""The first thing the interpreter runs: stand-ins in place, filesystem mounted, boot.py, main.py, then the REPLs."""

import json
import sys

import micropython
from runtime import (
    asyncio_tasks,
    bus,
    esp,
    esp32,
    filesystem,
    flash,
    machine,
    network,
    repl,
    select,
    socket,
    system,
    time,
)
from runtime.execution import SoftReset, run_file

_STAND_INS = {
    "_asyncio": asyncio_tasks,
    "time": time,
    "select": select,
    "socket": socket,
    "machine": machine,
    "network": network,
    "esp": esp,
    "esp32": esp32,
}


def main():
    """Never returns: a soft reset ends this process, and the board starts another."""
    settings = json.loads(bus.request(bus.HELLO))
    _install(settings)
    filesystem.mount(flash.Partition(settings["offset"], settings["length"]))
    raw = settings["raw_repl"]
    while True:
        try:
            raw = _one_life(raw)
        except KeyboardInterrupt:
            continue
        break
    print("MPY: soft reboot")
    bus.request(bus.SOFT_RESET, bytes((raw,)))
    bus.die()


def _one_life(raw):
    """Boot, then serve REPLs until a soft reset; returns whether the raw REPL asked for it."""
    try:
        finished = run_file("/boot.py")
        if finished and not raw:
            run_file("/main.py")
    except SoftReset:
        return False
    return _serve_repls(raw)


def _serve_repls(raw):
    while True:
        try:
            outcome = repl.raw_session() if raw else repl.friendly_session()
        except SoftReset:
            return raw
        if outcome == repl.SOFT_RESET:
            return raw
        raw = not raw


def _install(settings):
    time.set_up(settings["speed_milli"], settings["rtc_us"])
    machine.set_up(bytes(settings["mac"]), settings["reset_cause"])
    flash.set_up(settings["flash"])
    esp.set_up(settings["offset"])
    esp32.set_up(settings["partitions"])
    bus.Link.up = settings["link"]
    system.install(settings["release"], settings["banner"])
    _forget_runtime()
    for name, module in _STAND_INS.items():
        sys.modules[name] = module
        module.__name__ = name
    sys.argv[:] = []
    micropython.kbd_intr(3)


def _forget_runtime():
    # A program's own modules may be called `bus` or `flash` too: nothing of this runtime stays to be imported.
    for name in list(sys.modules):
        if name == "runtime" or name.startswith("runtime."):
            del sys.modules[name]


main()
