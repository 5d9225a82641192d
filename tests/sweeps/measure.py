"""What `flash` and `inspect-flash` take beside the tools they are built on: `python -m tests.sweeps.measure`.

On virtual boards whose cable passes bytes as fast as a line of that speed, each comparison in one run:

    rom    inspect-flash --via rom against esptool read-flash of the 2 MiB partition, 60 files, at 115200
    blank  a blank board to the running firmware, against esptool write-flash and mpremote cp -r, at 460800
    app    flash --app-only after a change of one file, against mpremote cp -r
"""

from __future__ import annotations

import argparse
import contextlib
import random
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dispctl.adapters import bytecode
from dispctl.adapters.repl import open_repl
from dispctl.image import littlefs_image, micropython_image
from dispctl.operations.firmware_package import bytecode_package, source_package
from dispctl.virtual import app_image, esp_image
from tests.end_to_end.processes import Dispctl
from tests.operations.saved_jobs import SAVED
from tests.sweeps.proxy import pullable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILES_OFFSET, FILES_LENGTH = 0x200000, 0x200000
CODE_BYTES = 1_600_000
"""With the rest about the size of an ESP32_GENERIC image; it also compresses as one does, to two thirds."""
CONNECT_S = 4.0
"""What the wire's own limit is given for connecting, checking and starting."""


@dataclass(frozen=True)
class Compared:
    """Ours against theirs; `limit_s` is what ours may take at most beside the share of theirs."""

    name: str
    ours_s: float
    theirs_s: float
    most_share: float
    ours_bytes: int = 0
    theirs_bytes: int = 0
    limit_s: float | None = None

    @property
    def holds(self) -> bool:
        """Whether ours takes no more than promised."""
        within = self.limit_s is None or self.ours_s <= self.limit_s
        return within and self.ours_s <= self.most_share * self.theirs_s

    def __str__(self) -> str:
        words = f"{self.name}: {self.ours_s:.2f} s, theirs {self.theirs_s:.2f} s: {self.ours_s / self.theirs_s:.3f}"
        words += f" (at most {self.most_share:g})"
        if self.theirs_bytes:
            words += f"; {self.ours_bytes} bytes, theirs {self.theirs_bytes}: 1/{self.theirs_bytes / self.ours_bytes:.0f}"
        if self.limit_s is not None:
            words += f"; 1.15 of the wire and {CONNECT_S:g} s: {self.limit_s:.2f} s"
        return words


class Bench:
    """Boards in `folder`, one at a time."""

    def __init__(self, folder: Path, *, paced: bool) -> None:
        self.folder = folder
        self._pacing = "--pacing" if paced else "--no-pacing"
        places = ("DISPCTL_SIM_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
        self.dispctl = Dispctl({name: str(folder / name) for name in places})

    @contextlib.contextmanager
    def board(self, flash: bytes | None = None) -> Iterator[str]:
        """A board that holds `flash`, else a blank one; gives its cable."""
        file = self.folder / "flash"
        file.unlink(missing_ok=True)
        if flash is not None:
            file.write_bytes(flash)
        arguments = ("--rfc2217-port", "0", "--flash", str(file), self._pacing)
        with self.dispctl.start("sim", "run", *arguments) as process:
            line = process.lines[process.wait_for("cable:")]
            yield line.removeprefix("cable:").strip()

    def run(self, *arguments: str) -> float:
        """Seconds that a module's command takes; it has to succeed."""
        began = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", *arguments], env=self.dispctl.environment, cwd=self.folder,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        took_s = time.monotonic() - began
        assert ended.returncode == 0, f"{' '.join(arguments)}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
        return took_s

    def counted(self, cable: str, command: Callable[[str], tuple[str, ...]]) -> tuple[float, int]:
        """Seconds that the command for a cable takes, and how many bytes come out of the board for it."""
        with pullable(cable) as proxy:
            took_s = self.run(*command(proxy.url))
            return took_s, proxy.bytes_to_host


def image(code_bytes: int = CODE_BYTES) -> bytes:
    """An image that the virtual board runs, as long as a real one."""
    chance = random.Random(5)
    small = esp_image.build_image()
    start = esp_image.APP_OFFSET - esp_image.IMAGE_OFFSET
    app = app_image.decode(small[start:], esp_image.APP_OFFSET)
    code = b"".join(chance.randbytes(40) + bytes(24) for _ in range(code_bytes // 64))
    segments = (*app.segments, app_image.Segment(0x400D0020, code)) if code else app.segments
    return small[:start] + app_image.encode(app.entry, segments)


def board_with_sixty_files() -> bytes:
    """A flash with MicroPython, a saved job and 60 other files."""
    files = {f"/lib/file{number:02}.py": bytes([number]) * (700 * (number % 7)) for number in range(60)}
    saved = {f"/{name}": data for name, data in SAVED["mid-item"].items()}
    built = littlefs_image.build({**files, "/settings.json": b"{}", **saved}, FILES_LENGTH).data
    head = b"\xff" * esp_image.IMAGE_OFFSET + esp_image.build_image()
    return head.ljust(FILES_OFFSET, b"\xff") + built


def inspect_counted(bench: Bench, cable: str, baud: int) -> tuple[float, int]:
    """Seconds, and bytes out of the board, to look at a saved job through the bootloader."""
    return bench.counted(
        cable, lambda port: ("dispctl", "inspect-flash", "--port", port, "--via", "rom", "--baud", str(baud))
    )


def measure_rom(bench: Bench, *, baud: int = 115_200) -> Compared:
    """One saved job out of a partition, against the whole partition."""
    rate = str(baud)
    with bench.board(board_with_sixty_files()) as cable:
        ours = inspect_counted(bench, cable, baud)
        theirs = bench.counted(
            cable,
            lambda port: (
                "esptool", "--port", port, "--baud", rate, "read-flash", hex(FILES_OFFSET), hex(FILES_LENGTH), "dump"
            ),
        )  # fmt: skip
    return Compared("rom", ours[0], theirs[0], 0.1, ours[1], theirs[1])


def measure_blank(bench: Bench, *, baud: int = 460_800, code_bytes: int = CODE_BYTES) -> Compared:
    """MicroPython and all our files onto a blank board, until the firmware runs."""
    written = bench.folder / "image.bin"
    written.write_bytes(image(code_bytes))
    files = _package_folder(bench)
    with bench.board() as cable:
        ours_s = bench.run(
            "dispctl", "flash", "--force", "--port", cable, "--baud", str(baud), "--micropython", str(written)
        )
    with bench.board() as cable:
        theirs_s = bench.run(
            "esptool", "--port", cable, "--baud", str(baud), "write-flash", "0x1000", str(written)
        )
        theirs_s += bench.run("mpremote", "connect", cable, "cp", "-r", *files, ":", "+", "reset")
    parsed = micropython_image.parse(written.read_bytes(), source="image")
    pieces = [data for _, data in (*parsed.pieces(), *_built().runs())]
    wire_s = sum(len(zlib.compress(data, 9)) for data in pieces) * 10 / baud
    return Compared("blank", ours_s, theirs_s, 0.6, limit_s=1.15 * wire_s + CONNECT_S)


def measure_app(bench: Bench) -> Compared:
    """One changed file onto a running board."""
    written = bench.folder / "image.bin"
    written.write_bytes(image(0))
    files = _package_folder(bench)
    with bench.board() as cable:
        bench.run("dispctl", "flash", "--force", "--port", cable, "--micropython", str(written))
        _change_a_file(cable)
        ours_s = bench.run("dispctl", "flash", "--app-only", "--port", cable)
        _change_a_file(cable)
        theirs_s = bench.run("mpremote", "connect", cable, "cp", "-r", *files, ":", "+", "reset")
    return Compared("app", ours_s, theirs_s, 0.25)


def _built() -> littlefs_image.BuiltImage:
    return littlefs_image.build(bytecode_package().files, FILES_LENGTH)


def _package_folder(bench: Bench) -> list[str]:
    """Our files on this machine, as mpremote takes them; returns what to copy."""
    for path, contents in bytecode_package().files.items():
        file = bench.folder / "package" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(contents)
    return [str(path) for path in sorted((bench.folder / "package").iterdir())]


def _change_a_file(cable: str) -> None:
    older = source_package().files["/firmware/pour.py"] + b"\nOLDER = True\n"
    with open_repl(cable) as session:
        session.replace_file(
            "/firmware/pour.mpy", bytecode.compile_all({"firmware/pour.py": older})["firmware/pour.py"]
        )


MEASURES: dict[str, Callable[[Bench], Compared]] = {
    "rom": measure_rom,
    "blank": measure_blank,
    "app": measure_app,
}


def main() -> None:
    """Measure as asked on the command line; exits with 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*MEASURES, []], help="what to measure; default: all")
    names = parser.parse_args().names or list(MEASURES)
    holds = True
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            compared = MEASURES[name](Bench(Path(folder), paced=True))
            holds &= compared.holds
            print(compared if compared.holds else f"{compared}  <-- too much", flush=True)
    sys.exit(not holds)


if __name__ == "__main__":
    main()
