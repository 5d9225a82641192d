"""Damaged images and job states: `python -m tests.sweeps.damage --count 10000`.

Bits are flipped, files cut, parts of several states mixed. Looking always ends in a view or in a failure that says what is
wrong; nothing else is raised, and the medium is only read.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

from dispctl.adapters.backups import Backups
from dispctl.errors import DispctlError
from dispctl.image import littlefs_image
from dispctl.operations.inspect_flash import NOTHING_SAVED, Inspected, Request, inspect_flash, view_of
from dispctl.operations.job_state_sources import SavedFiles
from tests.operations.saved_jobs import SAVED

LENGTH = 0x40000
BLOCK = 4096
_NAMES = sorted({name for files in SAVED.values() for name in files})


@cache
def image(name: str) -> bytes:
    """The filesystem of a board in one of the states of `SAVED`, with enough beside it to fill some blocks."""
    files = {"/settings.json": b"{}", "/lib/long.py": b"# long\n" * 3000}
    return littlefs_image.build(
        {**files, **{f"/{file}": data for file, data in SAVED[name].items()}}, LENGTH
    ).data


def damaged(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """`data`, flipped, cut short or mixed with `other`, or all of it."""
    result = bytearray(data)
    if chance.random() < 0.3:
        start = chance.randrange(len(result) // BLOCK + 1) * BLOCK
        result[start : start + BLOCK] = other[start : start + BLOCK]
    for _ in range(chance.choice([0, 1, 3, 30, 1000])):
        if result:
            near = chance.choice([0, BLOCK, chance.randrange(len(result))])
            result[(near + chance.randrange(600)) % len(result)] ^= 1 << chance.randrange(8)
    if chance.random() < 0.3:
        del result[chance.randrange(len(result) + 1) :]
    return bytes(result)


def look_at_image(path: Path, data: bytes) -> str:
    """What came of looking at a dump: ``view``, ``finding`` or the failure's kind."""
    path.write_bytes(data)
    try:
        found = next(
            event
            for event in inspect_flash(Request(port="none", image=path), Backups(path.parent))
            if isinstance(event, Inspected)
        )
    except DispctlError as error:
        outcome = type(error).__name__
    else:
        outcome = "finding" if found.is_damaged else "view"
        _check(found.view)
    assert path.read_bytes() == data, "the medium was written to"
    return outcome


def look_at_files(files: dict[str, bytes]) -> str:
    """What came of making sense of these job_state files."""
    view = view_of(SavedFiles(files))
    _check(view)
    return "finding" if view["findings"] else "view"


def _check(view: dict[str, object]) -> None:
    assert set(view) >= set(NOTHING_SAVED)
    findings = view["findings"]
    assert isinstance(findings, list)
    assert all(finding["finding"] for finding in findings)


def sweep(count: int, *, seed: int = 0) -> Counter[str]:
    """`count` damaged images and `count` damaged sets of files; returns how often what came of it."""
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            name, other = chance.choice(list(SAVED)), chance.choice(list(SAVED))
            data = damaged(image(name), image(other), chance)
            outcomes[f"image: {look_at_image(Path(folder) / 'dump', data)}"] += 1
            files = {
                file: damaged(SAVED[name].get(file, b""), SAVED[other].get(file, b""), chance)
                for file in chance.sample(_NAMES, chance.randrange(len(_NAMES) + 1))
            }
            outcomes[f"files: {look_at_files(files)}"] += 1
    return outcomes


def main() -> None:
    """Sweep as asked on the command line, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for outcome, count in sorted(sweep(arguments.count, seed=arguments.seed).items()):
        print(f"{count:6} {outcome}")


if __name__ == "__main__":
    main()
