"""Puts an update of the firmware in place, and takes it back if it does not start; decides nothing else.

Stands in `/`, outside the folder that it changes, and runs before anything in there does. An update is a folder of
changes: a file to put into `firmware`, or an empty NAME.gone to take one out.

    firmware_staged    an update on its way; counts for nothing
    firmware_next      the same folder, whole: put in place at the next boot
    firmware_previous  the changes that lead back; when firmware_next is gone, the new version is on trial
    firmware_trash     no longer needed

Every step is one rename, one removal or one new empty file, which littlefs does whole or not at all, and may be
repeated after a cut. Who starts while a version is on trial finds that it did not confirm, and undoes it.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "firmware"
STAGED = "firmware_staged"
NEXT = "firmware_next"
PREVIOUS = "firmware_previous"
TRASH = "firmware_trash"
GONE = ".gone"
RESTART_S = 10
TRIAL_MS = 20_000  # the firmware says within two seconds that it runs; then it sets the watchdog for itself


def start() -> None:
    """Run the firmware, put in place or put back before; a new version that fails before it confirms is undone.

    A firmware that fails otherwise, at boot or later, is started again: nobody is there to do it.
    """
    if _has_changes():
        _close_outputs()
    if settle():
        _begin_trial()
    try:
        from firmware import main  # type: ignore[import-not-found]  # its name on the board

        main.main(confirm)
    except Exception as error:
        _restart(error)


def settle() -> bool:
    """Leave one version whole in `firmware`; whether it is a new one, on trial from now on."""
    try:
        return _settle()
    except OSError as error:  # a worn-out flash: run what is there, and try again at the next boot
        print("[UPDATE] ✗ Atualização interrompida:", error)
        return False


def confirm() -> None:
    """The version that runs is the one to keep."""
    if PREVIOUS in os.listdir():
        discard(PREVIOUS)
        print("[UPDATE] ✓ Versão nova confirmada")


def discard(folder: str) -> None:
    """Remove a folder of changes: by one rename it counts no more, then it is emptied."""
    _empty_trash()
    if folder in os.listdir():
        os.rename(folder, TRASH)
        _empty_trash()


def _settle() -> bool:
    names = os.listdir()
    if NEXT in names:
        if PREVIOUS not in names:
            os.mkdir(PREVIOUS)
        _apply(NEXT, keep=True)
        return True
    if PREVIOUS in names:
        _apply(PREVIOUS, keep=False)
        print("[UPDATE] ✗ Versão nova não iniciou: a anterior voltou")
    return False


def _apply(changes: str, keep: bool) -> None:
    """Make the changes, each gone from its folder once made; with `keep` what they replace is kept in PREVIOUS."""
    # Until the first change after a cut littlefs has not finished the rename that was cut, and lists a folder that
    # this concerns with one file too few. This makes it finish and changes nothing.
    os.rename(changes, changes)
    for entry in os.listdir(changes):
        removes = entry.endswith(GONE)
        name = entry[: -len(GONE)] if removes else entry
        if keep:
            _keep(name)
        if not removes:
            os.rename(changes + "/" + entry, FOLDER + "/" + name)
            continue
        if name in os.listdir(FOLDER):
            os.remove(FOLDER + "/" + name)
        os.remove(changes + "/" + entry)
    os.rmdir(changes)


def _keep(name: str) -> None:
    """Move the file to PREVIOUS, or note there that there was none; what was kept first is what is kept."""
    kept = os.listdir(PREVIOUS)
    if name in kept or name + GONE in kept:
        return
    if name in os.listdir(FOLDER):
        os.rename(FOLDER + "/" + name, PREVIOUS + "/" + name)
    else:
        open(PREVIOUS + "/" + name + GONE, "wb").close()


def _empty_trash() -> None:
    if TRASH in os.listdir():
        for name in os.listdir(TRASH):
            os.remove(TRASH + "/" + name)
        os.rmdir(TRASH)


def _begin_trial() -> None:
    """A version that hangs before it confirms is reset, and so undone."""
    import machine

    machine.WDT(timeout=TRIAL_MS)


def _has_changes() -> bool:
    names = os.listdir()
    return NEXT in names or PREVIOUS in names


def _close_outputs() -> None:
    """Before changes that take seconds: what opens a jar may outlast a reset of the CPU alone.

    By the code that is there, which is then loaded anew; if it stands between two versions, `main` closes.
    """
    import sys

    try:
        from firmware import actuators

        actuators.close_outputs()
    except Exception as error:
        print("[UPDATE] ⚠ Saídas ainda não fechadas:", error)
    for name in [name for name in sys.modules if name.split(".")[0] == FOLDER]:
        del sys.modules[name]


def _restart(error: "Any") -> None:
    """Say what happened, and reset the board: a version on trial at once, else with time for a Ctrl-C."""
    import sys
    import time

    import machine

    sys.print_exception(error)  # type: ignore[attr-defined]  # MicroPython's
    if not _has_changes():
        print(
            f"[ERRO] O firmware parou ({type(error).__name__}); reiniciando em {RESTART_S} s. Ctrl-C impede"
        )
        time.sleep(RESTART_S)
    machine.reset()
