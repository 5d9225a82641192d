"""`dispctl flash` killed, and its cable pulled, at random moments: `python -m tests.sweeps.flash_cuts --count 50`.

Each time the same command brings the board to the end, its settings, its saved job and a file that is not ours are as
they were, and every file of ours is whole. MicroPython is another one each time, so that all of it is written; now and then
the board has changed its own files by an update over its prompt.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dispctl.adapters import rom
from dispctl.adapters.repl import open_repl
from dispctl.image.partition_table import Region
from dispctl.operations import board_flash
from dispctl.operations.firmware_package import MANIFEST_PATH
from tests.end_to_end.processes import Dispctl
from tests.operations.saved_jobs import SAVED
from tests.sweeps.proxy import pullable

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {
    "/settings.json": b'{"ssid": "nowhere", "password": "x"}',
    "/notes.txt": b"mine",
    **{f"/{name}": data for name, data in SAVED["mid-item"].items()},
}
UPDATED_EVERY = 5
FILES_REGION = Region(0x200000, 0x200000)


class Board:
    """A virtual board of its own with a saved job, and the two images that it gets in turn."""

    def __init__(self, folder: Path) -> None:
        places = ("DISPCTL_SIM_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
        self.dispctl = Dispctl({name: str(folder / name) for name in places})
        self._images = [folder / "plain.bin", folder / "listed.bin"]
        self._flash = folder / "flash"
        self.cable = ""

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """The board runs the firmware and holds `FILES`."""
        self.dispctl.done("sim", "image", str(self._images[0]))
        self.dispctl.done("sim", "image", "--vfs-entry", str(self._images[1]))
        with self.dispctl.start(
            "sim", "run", "--name", "cut", "--rfc2217-port", "0", "--no-pacing", "--flash", str(self._flash)
        ) as process:  # fmt: skip
            line = process.lines[process.wait_for("cable:")]
            self.cable = line.removeprefix("cable:").strip()
            self.flash()
            with open_repl(self.cable) as session:
                for path, data in FILES.items():
                    session.replace_file(path, data)
            yield

    def command(self, cable: str) -> tuple[str, ...]:
        """Flash with the image whose turn it is."""
        return ("flash", "--port", cable, "--force", "--micropython", str(self._images[0]))

    def flash(self) -> float:
        """Run the command to its end; returns how many seconds it took."""
        began = time.monotonic()
        self.dispctl.done(*self.command(self.cable))
        return time.monotonic() - began

    def turn(self) -> None:
        """The other image from now on."""
        self._images.reverse()

    def update(self) -> None:
        """The package to sources and back over the prompt: the board writes its folder itself."""
        for form in (("--source",), ()):
            self.dispctl.done("flash", "--app-only", "--port", self.cable, *form)

    def files(self) -> dict[str, bytes]:
        """What the board has of `FILES`, through its bootloader; raises AssertionError when ours are not whole."""
        with rom.connect(self.cable) as session:
            filesystem = board_flash.mount(session, FILES_REGION)
            found = {path: filesystem.read_file(path) for path in filesystem.paths() if path in FILES}
            listed = json.loads(filesystem.read_file(MANIFEST_PATH))["files"]
            ours = {path: hashlib.sha256(filesystem.read_file(path)).hexdigest() for path in listed}
            session.reset()
        assert ours == listed
        return found


def cut(board: Board, after_s: float, *, pulls: bool) -> bool:
    """Kill the command, or pull its cable, so long after its start; whether it was still under way."""
    with pullable(board.cable) as cable:
        process = subprocess.Popen(
            [sys.executable, "-m", "dispctl", *board.command(cable.url if pulls else board.cable)],
            env=board.dispctl.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            if pulls:
                cable.pull()
            else:
                process.kill()
            process.wait(60)
            return True
        return False


def sweep(count: int, *, seed: int = 0) -> int:
    """Kill `count` times and pull `count` times while it is under way; returns how many moments it took.

    Raises AssertionError when the board lost anything.
    """
    moments, number = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as folder:
        board = Board(Path(folder))
        with board.running():
            whole_s = board.flash()
            left = [False, True] * count  # whether it is the cable that goes
            while left:
                number += 1
                board.turn()
                if number % UPDATED_EVERY == 0:
                    board.update()
                after_s = moments.uniform(0.0, whole_s)
                if cut(board, after_s, pulls=left[-1]):
                    left.pop()
                whole_s = board.flash()
                print(f"cut {number} after {after_s:.3f} s: whole again", file=sys.stderr)
                assert board.files() == FILES, f"cut {number} after {after_s:.3f} s (seed {seed})"
    return number


def main() -> None:
    """Sweep as asked on the command line, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    sweep(arguments.count, seed=arguments.seed)
    print(f"{arguments.count} kills, {arguments.count} pulls: the board ended with what it had each time.")


if __name__ == "__main__":
    main()
