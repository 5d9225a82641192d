"""A whole virtual board for released tools: its cable by both ways, and tools as processes on the end of it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.virtual.board import Board, Wiring
from dispctl.virtual.bridge import Bridge
from dispctl.virtual.clock import BoardClock
from dispctl.virtual.esp_image import IMAGE_OFFSET
from dispctl.virtual.flash import NorFlash
from tests.virtual.cable import LoopThread, loop_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TIMEOUT_S = 240
MAC = bytes.fromhex("246f28aabbcc")
RFC2217, PTY = "RFC 2217", "pty"
WAYS = (RFC2217, PTY)


@dataclass
class Rig:
    """A board with its power on at the end of a plugged cable, in a loop of its own, and a folder for files."""

    thread: LoopThread
    board: Board
    bridge: Bridge
    folder: Path

    @property
    def state(self) -> str:
        """What the board is doing."""
        return self.thread.call(lambda: self.board.state.value)

    def hold_boot_and_reset(self) -> None:
        """What ``dispctl sim reset --download`` does."""
        self.thread.call(lambda: self.board.reset(boot_button=True))

    def port(self, way: str) -> str:
        """The name of the board's port for a tool."""
        return self.bridge.url if way == RFC2217 else str(self.folder / "board.tty")

    def file(self, data: bytes) -> str:
        """The name of a file with these contents."""
        path = self.folder / f"{len(list(self.folder.iterdir()))}.bin"
        path.write_bytes(data)
        return str(path)


@contextmanager
def rig_in(folder: Path, *, image: bytes = b"") -> Iterator[Rig]:
    """A rig whose flash holds `image` where MicroPython is, with its files in `folder`."""
    with ExitStack() as stack:
        thread = stack.enter_context(loop_thread())
        flash = stack.enter_context(closing(NorFlash(folder / "flash")))
        flash.program(IMAGE_OFFSET, image)
        board = thread.call(lambda: Board(Wiring(flash, BoardClock(), mac=MAC, paced=False)))
        link = folder / "board.tty" if sys.platform == "linux" else None
        bridge = thread.call(lambda: Bridge(board, pacing=False, pty_link=link))
        thread.run(bridge.plug_in())
        thread.call(board.power_on)
        stack.callback(lambda: thread.run(bridge.unplug()))
        yield Rig(thread, board, bridge, folder)


@dataclass
class Tool:
    """A released tool: the `command` that starts it, and the `rig` it is tried on by one of `WAYS`."""

    command: list[str]
    rig: Rig
    way: str

    @property
    def flash(self) -> NorFlash:
        """The board's flash."""
        return self.rig.board.flash

    def start(self, *arguments: str, exit_code: int = 0) -> str:
        """All that ``command arguments`` prints; fails on another exit code."""
        done = subprocess.run(
            [*self.command, *arguments],
            cwd=self.rig.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
        output = done.stdout.decode("utf-8", "replace").replace("\r\n", "\n")
        assert done.returncode == exit_code, output
        return output

    def put(self, offset: int, data: bytes) -> None:
        """Write into the flash past all protocols."""
        self.flash.program(offset, data)

    def holds(self, offset: int, data: bytes) -> bool:
        """Whether the flash has `data` at `offset`."""
        return self.flash.read(offset, len(data)) == data


def title(check: Callable[..., None]) -> str:
    """A check's name as words."""
    return check.__name__.replace("_", " ")
