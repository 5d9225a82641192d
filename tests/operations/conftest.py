"""Boards and answers that several tests start from."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.operations.bench import PORT, running_board, shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.end_to_end.processes import Dispctl


@pytest.fixture
def refused_connection() -> Callable[[httpx.Request], httpx.Response]:
    """Nothing listens at the backend's address."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("All connection attempts failed") from ConnectionRefusedError(111, "refused")

    return answer


@pytest.fixture
def dispctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dispctl:
    """A shell whose boards and backups are this test's own."""
    monkeypatch.setenv("DISPCTL_SIM_DIR", str(tmp_path / "sim"))
    return shell(tmp_path)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image that stands for MicroPython."""
    path = tmp_path_factory.mktemp("image") / "mp.bin"
    shell(path.parent).done("sim", "image", str(path))
    return path


@pytest.fixture(scope="session")
def flashed(tmp_path_factory: pytest.TempPathFactory, image: Path) -> Path:
    """The flash of a board that runs the firmware."""
    folder = tmp_path_factory.mktemp("flashed")
    with running_board(shell(folder), folder / "flash"):
        shell(folder).done("flash", "--port", PORT, "--micropython", str(image))
    return folder / "flash"


@pytest.fixture
def blank_board(dispctl: Dispctl, tmp_path: Path) -> Iterator[str]:
    """The name of a board as it comes from the factory."""
    with running_board(dispctl, tmp_path / "flash"):
        yield PORT


@pytest.fixture
def board(dispctl: Dispctl, flashed: Path, tmp_path: Path) -> Iterator[str]:
    """The name of a board that runs the firmware."""
    shutil.copy(flashed, tmp_path / "flash")
    with running_board(dispctl, tmp_path / "flash"):
        yield PORT
