"""Updates on the real littlefs: cut at every program and erase, the board ends with one version, whole."""

import os

import vfs

from .fakes import Mains, PowerCut
from .littlefs import Chip, Device
from .world import firmware as module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

updater = module("updater")

MOUNT = "/updates"
OLD = {"main.py": b"old", "idle.py": b"same", "stale.py": b"only old", "pour.py": b"o" * 5000}
NEW = {"main.py": b"new" * 900, "idle.py": b"same", "added.py": b"only new", "pour.py": b"n" * 5000}
_OPTIONS = {"readsize": 32, "progsize": 32, "lookahead": 32}


class Board:
    """A chip whose filesystem is the current folder; `boot` mounts it anew, as after a power cut."""

    def __init__(self) -> None:
        self.chip = Chip(Mains())
        vfs.VfsLfs2.mkfs(Device(self.chip), **_OPTIONS)
        self._mounted = False
        self.boot()
        os.mkdir("firmware")
        put("firmware", OLD)
        put("", {"main.py": b"starts", "settings.json": b"{}"})

    def boot(self) -> None:
        if self._mounted:
            os.chdir("/")
            vfs.umount(MOUNT)
        vfs.mount(vfs.VfsLfs2(Device(self.chip), **_OPTIONS), MOUNT)
        self._mounted = True
        os.chdir(MOUNT)

    def commit(self) -> None:
        os.mkdir(updater.STAGED)
        put(
            updater.STAGED,
            {"main.py": NEW["main.py"], "added.py": NEW["added.py"], "pour.py": NEW["pour.py"]},
        )
        put(updater.STAGED, {"stale.py" + updater.GONE: b""})
        os.rename(updater.STAGED, updater.NEXT)

    def leave(self) -> None:
        os.chdir("/")
        vfs.umount(MOUNT)


def put(folder: str, files: "dict[str, bytes]") -> None:
    for name, data in files.items():
        with open(folder + "/" + name if folder else name, "wb") as file:
            file.write(data)


def installed() -> "dict[str, bytes]":
    found = {}
    for name in os.listdir("firmware"):
        with open("firmware/" + name, "rb") as file:
            found[name] = file.read()
    return found


def left_over() -> "list[str]":
    return sorted([name for name in os.listdir() if name.startswith("firmware_")])


def committed() -> Board:
    board = Board()
    board.commit()
    return board


def on_trial() -> Board:
    board = committed()
    assert updater.settle()
    return board


def cut_everywhere(
    make: "Callable[[], Board]", step: "Callable[[], None]", check: "Callable[[], None]"
) -> None:
    """`step` on the board that `make` makes, cut at its every operation; `check` after the next boot has settled."""
    for torn in (False, True):
        operation = 0
        was_cut = True
        while was_cut:
            operation += 1
            board = make()
            board.chip.cut_at(operation, torn)
            try:
                step()
                was_cut = False
            except PowerCut:
                pass
            board.chip.cut_no_more()
            board.boot()
            check()
            board.leave()
        assert operation > 3, operation


def test_an_update_is_put_in_place_and_stays_once_confirmed() -> None:
    board = on_trial()
    assert installed() == NEW
    updater.confirm()
    assert left_over() == []
    board.boot()
    assert not updater.settle()
    assert installed() == NEW
    board.leave()


def test_what_does_not_confirm_is_taken_back() -> None:
    board = on_trial()
    board.boot()
    assert not updater.settle()
    assert installed() == OLD
    assert left_over() == []
    board.leave()


def test_cut_while_it_is_put_in_place() -> None:
    def check() -> None:
        expected = NEW if updater.settle() else OLD
        assert installed() == expected, installed().keys()

    cut_everywhere(committed, settle, check)


def test_cut_while_it_is_taken_back() -> None:
    def check() -> None:
        assert not updater.settle()
        assert installed() == OLD

    cut_everywhere(on_trial, settle, check)


def test_cut_while_it_is_confirmed() -> None:
    def check() -> None:
        updater.settle()
        assert installed() in (OLD, NEW)
        updater.confirm()
        assert updater.PREVIOUS not in left_over()

    cut_everywhere(on_trial, updater.confirm, check)


def test_an_update_on_top_of_one_on_trial_leads_back_to_what_was_confirmed() -> None:
    board = on_trial()
    os.mkdir(updater.NEXT)
    put(updater.NEXT, {"main.py": b"newer", "newest.py": b"!"})
    board.boot()
    assert updater.settle()
    assert installed()["main.py"] == b"newer"
    board.boot()
    updater.settle()
    assert installed() == OLD
    board.leave()


def settle() -> None:
    updater.settle()
