"""Damaged job files and configuration files by the thousand: ``python -m tests.sweeps.documents [COUNT] [SEED]``.

Each is a good document with a few changes: bytes flipped, cut, doubled, or replaced by what parsers stumble over. It is
either read or refused in a sentence; anything else ends the run with its traceback, and the document is kept.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dispctl.adapters import config_files
from dispctl.cli.app import app
from dispctl.cli.configuration import default_map
from dispctl.cli.settings_origin import settings
from dispctl.errors import UsageError
from dispctl.operations.order_job import Request, requested

if TYPE_CHECKING:
    from collections.abc import Callable

JOBS = {
    ".toml": b'name = "Curry"\nportions = 2\npeople = 4\n[ingredients]\nSal = 10\n"Or\xc3\xa9gano" = 2.5\n',
    ".json": b'{"nome": "Curry", "porcoes": 2, "ingredientes": [{"tempero": "Sal", "quantidade": 10.0}]}',
    ".yaml": b"name: Curry\nportions: 2\ningredients:\n  - spice: Sal\n    grams: 10\n  - {spice: Alho, grams: 2.5}\n",
}
CONFIGS = [
    b'backend = "http://127.0.0.1:8000"\nport = "sim:"\n[send-job]\nwait = true\nitem = ["Sal=1"]\n[jars.set]\nrate = 2.0\n',
    b'[monitor]\ntag = ["EXEC"]\ntimeout = 5\n[jobs]\nlimit = 7\n',
]
TRAPS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n", b"{", b"}", b"[", b"]]", b'"', b"'''", b"= ", b": ", b"- ", b"nan",
    b"-inf", b"1e999", b"-0", b"9" * 400, b"0x10", b"true", b"null", b"~", b"!!python/object:os.system x", b"&a [*a, *a]",
    b"<<: *a", b"2026-01-01", b"\xed\xa0\x80", b"\xf0\x9f\x8c\xb6", b"[" * 2000, b'{"a":' * 2000, b"a.b.c = 1\n",
    b"[send-job.wait]\n", b"\t", b"#", b"%", b"@", b"people = 1e2\n", b"1_0", b'"\\ud800"',
)  # fmt: skip
CHANGES = 4


def damaged(good: bytes, chance: random.Random) -> bytes:
    """`good` with up to `CHANGES` changes; sometimes none."""
    data = bytearray(good)
    for _ in range(chance.randint(0, CHANGES)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.randint(0, 6))
        change = chance.choice(("flip", "cut", "drop", "double", "trap", "trap"))
        if change == "flip" and start < len(data):
            data[start] ^= 1 << chance.randrange(8)
        elif change == "cut":
            del data[start:]
        elif change == "drop":
            del data[start:end]
        elif change == "double":
            data[start:start] = data[start:end]
        elif change == "trap":
            data[start:end] = chance.choice(TRAPS)
    return bytes(data)


def read_job(path: Path, _root: Any) -> None:
    """Read it as `send-job FILE` does; what is read can be a job."""
    draft, people = requested(Request(str(path)), list, str)
    assert draft.name
    assert 1 <= people <= 100
    assert all(0 < ingredient.grams <= 500 for ingredient in draft.ingredients)


def read_config(path: Path, root: Any) -> None:
    """Read it as every command and `config show` do."""
    file = config_files.ConfigFile(path, config_files._read(path))
    default_map(root, [file], only="jobs")
    list(settings(root, [file], {}))


def fuzz(count: int, seed: int, folder: Path) -> Counter[str]:
    """Try `count` documents, half of them job files; returns how many were read and how many refused."""
    chance = random.Random(seed)
    root: Any = typer.main.get_command(app)
    root.load_all()
    outcomes: Counter[str] = Counter()
    for number in range(count):
        is_job = number % 2 == 0
        suffix = chance.choice(list(JOBS)) if is_job else ".toml"
        path = folder / f"document{suffix}"
        path.write_bytes(damaged(JOBS[suffix] if is_job else chance.choice(CONFIGS), chance))
        kind = "job file" if is_job else "config file"
        refusal = refusal_of(read_job if is_job else read_config, path, root)
        assert refusal is None or (refusal and "\n" not in refusal)
        outcomes[f"{kind} read" if refusal is None else f"{kind} refused"] += 1
    return outcomes


def refusal_of(read: Callable[[Path, Any], None], path: Path, root: Any) -> str | None:
    """The sentence with which it is refused, None if it is read."""
    try:
        read(path, root)
    except UsageError as error:
        return error.message
    return None


def main(count: int = 20_000, seed: int = 1) -> None:
    """Fuzz and print the outcomes."""
    folder = Path(tempfile.mkdtemp(prefix="dispctl-fuzz-"))
    print(f"seed {seed}; the last document is in {folder}", flush=True)
    for outcome, times in sorted(fuzz(count, seed, folder).items()):
        print(f"{times:7} {outcome}")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
