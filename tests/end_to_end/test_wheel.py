"""The built wheel, installed elsewhere, carries everything that the demo needs: firmware, runtime, backend."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.end_to_end.processes import Dispctl

pytestmark = pytest.mark.micropython

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel, built from this checkout without touching it."""
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path / "dist"),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (built,) = (tmp_path / "dist").iterdir()
    return built


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    source = ROOT / "src"
    listed = subprocess.run(
        ["git", "ls-files", "src/dispctl"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed >= {str((ROOT / name).relative_to(source)) for name in listed}
    assert not [name for name in packed if "tests" in Path(name).parts]


def test_the_installed_wheel_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    places = {
        name: str(tmp_path / name) for name in ("HOME", "DISPCTL_SIM_DIR", "XDG_DATA_HOME", "XDG_STATE_HOME")
    }
    elsewhere = Dispctl({**places, "PYTHONPATH": str(target)})
    ended = elsewhere.run("demo")
    assert ended.returncode == 0, ended.stderr
    assert "Every number agrees." in ended.stdout
