"""A share of the sweeps: `micropython sweep.py ROOT cuts|histories FIRST LAST STEP BREAKAGE|- STOP_AT_FAILURES`.

`cuts` runs every STEPth of `histories.every_cut` from FIRST on (LAST is not used), `histories` the seeds FIRST to LAST
in steps of STEP. Prints a JSON line for each failure, and at the end one with how many were tried.
"""

import gc
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[1] + "/src/dispctl")

from tests.on_micropython.board.broken import BREAKAGES
from tests.on_micropython.board.histories import every_cut, generate, print_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.on_micropython.board.histories import History


def chosen(kind: str, first: int, last: int, step: int) -> "Iterator[tuple[int | None, History]]":
    """The histories of this share, with their seeds."""
    if kind == "cuts":
        every = every_cut()
        for index in range(first, len(every), step):
            yield None, every[index]
    else:
        for seed in range(first, last + 1, step):
            yield seed, generate(seed)


def main() -> None:
    """Try them, until so many have failed."""
    kind, breakage = sys.argv[2], sys.argv[6]
    first, last, step = [int(word) for word in sys.argv[3:6]]
    failures_left = int(sys.argv[7])
    share = chosen(kind, first, last, step)
    tried = {"histories": 0, "cuts": 0, "resets": 0, "failures": 0}
    if breakage != "-":
        BREAKAGES[breakage]()
    for seed, history in share:
        tried["histories"] += 1
        try:
            world = history.run()
            tried["cuts"] += world.cuts
            tried["resets"] += world.resets
        except Exception:  # noqa: BLE001 - whatever it was, it is told with the shortest history that has it
            tried["failures"] += 1
            print_failure(seed, history)
            failures_left -= 1
        if not failures_left:
            break
        gc.collect()
    print(json.dumps({"tried": tried}))


main()
