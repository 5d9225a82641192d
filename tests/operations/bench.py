"""A virtual board of a test's own, with its own backups, flashed by the real command."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dispctl.adapters.repl import open_repl
from tests.end_to_end.processes import Dispctl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORT = "sim:bench"


def shell(folder: Path) -> Dispctl:
    places = {
        "DISPCTL_SIM_DIR": "sim",
        "XDG_DATA_HOME": "data",
        "XDG_CONFIG_HOME": "config",
        "XDG_CACHE_HOME": "cache",
    }
    return Dispctl({name: str(folder / place) for name, place in places.items()})


@contextmanager
def running_board(dispctl: Dispctl, flash: Path) -> Iterator[None]:
    with dispctl.start(
        "sim", "run", "--json", "--name", "bench", "--rfc2217-port", "0", "--no-pacing", "--flash", str(flash)
    ) as process:  # fmt: skip
        process.wait_for("{")
        yield


def put_files(files: dict[str, bytes]) -> None:
    """As the firmware would have left them."""
    with open_repl(PORT) as session:
        for name, data in files.items():
            session._transport.fs_writefile(f"/{name}", data)
