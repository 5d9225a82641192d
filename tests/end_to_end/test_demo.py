"""`dispctl demo` as a newcomer runs it: nothing set up, and a proof at the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.backend import databases
from tests.end_to_end.conftest import new_database
from tests.end_to_end.processes import Dispctl

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.micropython


@pytest.fixture
def newcomer(tmp_path: Path) -> Dispctl:
    """A shell in an empty home."""
    places = ("HOME", "DISPCTL_SIM_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR")
    for place in places:
        (tmp_path / place).mkdir()
    return Dispctl({place: str(tmp_path / place) for place in places})


@pytest.mark.parametrize("kind", databases.KINDS)
def test_the_demo_proves_every_number_and_leaves_nothing(
    newcomer: Dispctl, tmp_path: Path, kind: str
) -> None:
    with new_database(kind, tmp_path) as url:
        options = ("--database", url) if kind == "postgresql" else ()
        ended = newcomer.run("demo", "--json", *options)
    assert ended.returncode == 0, ended.stderr
    proof = json.loads(ended.stdout)
    assert proof["agrees"]
    assert {line["what"]: line["found"] for line in proof["comparisons"] if "stock" in line["what"]} == {
        "stock in jar 1 (Sal)": "90 g",
        "stock in jar 2 (Pimenta)": "90 g",
        "stock in jar 3 (Cominho)": "90 g",
        "stock in jar 4 (Orégano)": "90 g",
    }
    assert list((tmp_path / "TMPDIR").iterdir()) == []
    assert list((tmp_path / "DISPCTL_SIM_DIR").iterdir()) == []


def test_the_story_is_told_step_by_step(newcomer: Dispctl, tmp_path: Path) -> None:
    ended = newcomer.run("demo", "--picture", str(tmp_path / "demo.svg"))
    assert ended.returncode == 0, ended.stderr
    position = 0
    for words in (
        "1. A backend with four jars",
        "2. A blank board gets MicroPython and the firmware",
        "3. Wi-Fi, backend address and claim",
        "4. A job",
        "5. The power goes while the third jar is open",
        "Job 1: 2 of 4 items done",
        "[RESUME] Retomando job 1 (item 3/4)",
        "[REPORT] ✓ Relatório enviado com sucesso!",
        "Every number agrees.",
    ):
        position = ended.stdout.index(words, position)
    assert (tmp_path / "demo.svg").read_text().startswith("<svg")
