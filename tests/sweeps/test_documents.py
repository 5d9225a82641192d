"""A few hundred of the damaged documents; the command behind it tries as many as one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sweeps.documents import fuzz

if TYPE_CHECKING:
    from pathlib import Path


def test_damaged_documents_are_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    outcomes = fuzz(600, 7, tmp_path)
    assert set(outcomes) == {"job file read", "job file refused", "config file read", "config file refused"}
