"""A board whose package changes its form, cut at every flash operation: `micropython switch.py ROOT FILE`.

FILE is JSON: `old` and `new` (path to contents in base64), `suffixes` (of their modules), `programs` (what the host has
the board do at its prompt). The littlefs is the root folder, and modules are imported from it as on a board; one JSON
line says how many cuts there were.
"""

import gc
import json
import os as unix_os
import sys
from binascii import a2b_base64

import vfs

sys.path.insert(0, sys.argv[1])
from tests.on_micropython.board.fakes import Mains, PowerCut
from tests.on_micropython.board.littlefs import Chip, Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_OPTIONS = {"readsize": 32, "progsize": 32, "lookahead": 32}
_BLOCKS = 48


class Os:
    """`os` as a board has it."""

    def __getattr__(self, name: str) -> "Any":
        return getattr(unix_os, name)

    def uname(self) -> "tuple[str, ...]":
        return ("esp32", "esp32", "1.26.1", "v1.26.1", "ESP32")


class Watchdog:
    """Is never hungry."""

    def __init__(self, timeout: int) -> None:
        self.timeout = timeout

    def feed(self) -> None:
        pass


class Machine:
    """`machine`; `said` are the files of the modules that ran."""

    WDT = Watchdog

    def __init__(self) -> None:
        self.said: list[str] = []

    def unique_id(self) -> bytes:
        return b"\x24\x6f\x28\xd1\x5c\x01"

    def reset(self) -> None:
        raise AssertionError("the firmware was not to fail")


machine = Machine()
sys.modules["machine"] = machine  # type: ignore[assignment]
sys.modules["os"] = Os()  # type: ignore[assignment]


class Board:
    """A chip that holds the old package; `os` works on it from the first `mount` on."""

    def __init__(self, contents: bytes) -> None:
        self.chip = Chip(Mains(), _BLOCKS)
        self.chip.data[:] = contents
        self.mount()

    def mount(self) -> None:
        """As after a power cut: nothing is in memory."""
        self.chip.cut_no_more()
        for name in list(sys.modules):
            if name == "updater" or name.split(".")[0] == "firmware":
                del sys.modules[name]
        vfs.umount("/")
        vfs.mount(vfs.VfsLfs2(Device(self.chip), **_OPTIONS), "/")
        unix_os.chdir("/")

    def start(self) -> str:
        """Boot; which form every module that ran has, empty if they were not of one."""
        machine.said.clear()
        with open("/main.py") as file:
            program = file.read()
        exec(program, {})  # noqa: S102 - as MicroPython does
        suffixes = {name.split(".")[-1] for name in machine.said}
        return suffixes.pop() if len(suffixes) == 1 and len(machine.said) == 2 else ""

    def run(self, programs: "list[str]") -> None:
        """At the prompt, one after the other."""
        names: dict[str, Any] = {"print": lambda *_: None}
        for program in programs:
            exec(program, names)  # noqa: S102 - as the prompt does


def chip_with(files: "dict[str, str]") -> bytes:
    """What a flash with these files holds."""
    chip = Chip(Mains(), _BLOCKS)
    vfs.VfsLfs2.mkfs(Device(chip), **_OPTIONS)
    filesystem = vfs.VfsLfs2(Device(chip), **_OPTIONS)
    for path, contents in files.items():
        if "/" in path[1:] and path.split("/")[1] not in [entry[0] for entry in filesystem.ilistdir("/")]:
            filesystem.mkdir("/" + path.split("/")[1])
        with filesystem.open(path, "wb") as file:
            file.write(a2b_base64(contents))
    return bytes(chip.data)


def package_on_board() -> "dict[str, bytes]":
    found = {}
    for name in unix_os.listdir("/firmware"):
        with open("/firmware/" + name, "rb") as file:
            found["/firmware/" + name] = file.read()
    return found


def updaters() -> "list[str]":
    return [name for name in unix_os.listdir("/") if name.startswith("updater")]


def cut_everywhere(contents: bytes, step: "Callable[[Board], None]", check: "Callable[[Board], None]") -> int:
    """`step` on boards with these contents, cut at its every operation; `check` after each. How many cuts."""
    cuts = 0
    for torn in (False, True):
        operation, was_cut = 0, True
        while was_cut:
            gc.collect()
            operation += 1
            board = Board(contents)
            board.chip.cut_at(operation, torn)
            try:
                step(board)
            except (PowerCut, OSError):  # the latter when a file is closed after the cut
                assert not board.chip.mains.on
            was_cut = not board.chip.mains.on
            cuts += was_cut
            board.mount()
            check(board)
    return cuts


def main() -> None:
    with open(sys.argv[2]) as file:
        given = json.load(file)
    sys.path[:] = ["", ".frozen", "/lib"]
    old, new = [
        {path: a2b_base64(data) for path, data in given[which].items() if path.startswith("/firmware/")}
        for which in ("old", "new")
    ]
    old_suffix, new_suffix = given["suffixes"]
    before = chip_with(given["old"])

    def check(board: Board) -> None:
        """It runs one version whole, and goes on with it."""
        form = board.start()
        assert package_on_board() == (new if form == new_suffix else old), (
            form,
            unix_os.listdir("/firmware"),
        )
        assert form in (old_suffix, new_suffix), machine.said
        board.mount()
        assert board.start() == form
        assert updaters(), "nothing starts the board"

    sent = cut_everywhere(before, lambda board: board.run(given["programs"]), check)
    board = Board(before)
    board.run(given["programs"])
    committed = bytes(board.chip.data)
    started = cut_everywhere(committed, lambda board: board.start() and None, check)
    board.mount()
    assert board.start() == new_suffix
    assert updaters() == ["updater." + new_suffix]
    left = [name for name in unix_os.listdir("/") if name.startswith("firmware_")]
    assert left == [], left
    print(json.dumps({"sent": sent, "started": started}))


main()
