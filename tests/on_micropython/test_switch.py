"""From sources to bytecode and back on the real littlefs: what the host has a board do, cut at every flash operation."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from dispctl.adapters import bytecode
from dispctl.operations import update_scripts
from dispctl.operations.firmware_package import MAIN, MAIN_PATH, source_package, twin_of
from dispctl.operations.update_scripts import Changes
from tests.on_micropython.test_interpreter import BOARD, ROOT, run_micropython

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.micropython

SAYS = b"import machine\nmachine.said.append(__file__)\n"
MODULES = {
    "firmware/__init__.py": b"",
    "firmware/main.py": SAYS + b"from . import pour\n\ndef main(confirm):\n    confirm()\n",
    "firmware/pour.py": SAYS + b"LONG = '" + b"x" * 5000 + b"'\n",
    "updater.py": source_package().files["/updater.py"],
}
SOURCES = {f"/{name}": data for name, data in MODULES.items()} | {MAIN_PATH: MAIN}


def compiled() -> dict[str, bytes]:
    modules = bytecode.compile_all(MODULES)
    return {f"/{name.removesuffix('.py')}.mpy": data for name, data in modules.items()} | {MAIN_PATH: MAIN}


def encoded(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: b64encode(data).decode() for path, data in files.items()}


@pytest.mark.parametrize("to_bytecode", [True, False])
def test_cut_anywhere_the_board_runs_one_form_whole(tmp_path: Path, *, to_bytecode: bool) -> None:
    forms = [("py", SOURCES), ("mpy", compiled())]
    (old_suffix, old), (new_suffix, new) = forms if to_bytecode else reversed(forms)
    changes = Changes(
        {path: data for path, data in new.items() if path != MAIN_PATH},
        [twin for twin in map(twin_of, new) if twin is not None],
    )
    staging = update_scripts.staging(changes.staged(), packed=True)
    given = {
        "old": encoded(old),
        "new": encoded(new),
        "suffixes": [old_suffix, new_suffix],
        "programs": [update_scripts.SURVEY, *staging, update_scripts.commit(changes)],
    }
    file = tmp_path / "given.json"
    file.write_text(json.dumps(given))
    said = run_micropython(str(BOARD / "switch.py"), str(ROOT), str(file))
    cuts = json.loads(said.splitlines()[-1])
    assert cuts["sent"] > 20
    assert cuts["started"] > 20
