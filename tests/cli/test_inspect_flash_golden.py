"""What `inspect-flash --json` says of every state, to the letter; scripts read it.

After a wanted change: `DISPCTL_WRITE_GOLDEN=1 pytest tests/cli/test_inspect_flash_golden.py`, then look at the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispctl.cli.app import app
from dispctl.image import littlefs_image
from dispctl.virtual import esp_image
from tests.operations.saved_jobs import SAVED

GOLDEN = Path(__file__).parents[1] / "golden" / "inspect_flash"
FAT = b"\xeb\x3c\x90".ljust(510, b"\0") + b"\x55\xaa"
VFS_OFFSET, VFS_LENGTH = 0x200000, 0x200000


def dump(files: bytes) -> bytes:
    """A flash of 4 MiB with MicroPython and this where its files are."""
    flash = bytearray(b"\xff" * 0x400000)
    image = esp_image.build_image()
    flash[0x1000 : 0x1000 + len(image)] = image
    flash[VFS_OFFSET : VFS_OFFSET + len(files)] = files
    return bytes(flash)


def filesystem(saved: dict[str, bytes]) -> bytes:
    files = {"/settings.json": b"{}", **{f"/{name}": data for name, data in saved.items()}}
    return littlefs_image.build(files, VFS_LENGTH).data


STATES = {
    **{name: dump(filesystem(saved)) for name, saved in SAVED.items()},
    "foreign-filesystem": dump(FAT),
    "blank-flash": b"\xff" * 0x400000,
}


@pytest.mark.parametrize("name", list(STATES))
def test_the_object_is_the_one_that_was_agreed(name: str, tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(STATES[name])
    result = CliRunner().invoke(app, ["inspect-flash", "--image", str(tmp_path / "dump"), "--json"])
    said = json.dumps(json.loads(result.stdout), indent=1, ensure_ascii=False) + "\n"
    path = GOLDEN / f"{name}.json"
    if os.environ.get("DISPCTL_WRITE_GOLDEN"):
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")
    assert result.exit_code == (6 if name in {"damaged", "foreign-filesystem"} else 0)
