"""What a board reports of a finished job, and what follows from it; pure."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dispctl.backend.mass import grams, micrograms


@dataclass(frozen=True)
class ReportEntry:
    """One line of the board's execution log; `order` is the item's, where the board says it."""

    jar: int
    spice: str
    quantity_ug: int
    seconds: float
    status: str
    error: str | None
    order: int | None = None

    @property
    def done(self) -> bool:
        """Whether the board says that it was poured."""
        return self.status == "done"

    def as_wire(self) -> dict[str, Any]:
        """The entry with the contract's field names."""
        return {
            "frasco": self.jar,
            "tempero": self.spice,
            "quantidade_g": grams(self.quantity_ug),
            "segundos": self.seconds,
            "status": self.status,
            "error": self.error,
        }

    @classmethod
    def from_wire(cls, entry: dict[str, Any]) -> "ReportEntry":
        """The inverse of `as_wire`."""
        return cls(
            jar=entry["frasco"],
            spice=entry["tempero"],
            quantity_ug=micrograms(entry["quantidade_g"]),
            seconds=entry["segundos"],
            status=entry["status"],
            error=entry["error"],
        )


@dataclass(frozen=True)
class Report:
    """A whole report: how many items were completed, how many failed, and the log."""

    completed: int
    failed: int
    entries: tuple[ReportEntry, ...]

    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of what the contract names; two reports are the same when these are."""
        body = [self.completed, self.failed, [entry.as_wire() for entry in self.entries]]
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()

    def job_status(self, items: int) -> str:
        """``done`` when all `items` were poured, ``failed`` when none was, else ``done_partial``."""
        failed = max(self.failed, sum(not entry.done for entry in self.entries))
        if failed == 0 and self.completed >= items:
            return "done"
        return "done_partial" if self.completed else "failed"

    def taken_ug(self) -> dict[int, int]:
        """Micrograms poured, by jar: the quantities of the ``done`` entries alone."""
        taken: defaultdict[int, int] = defaultdict(int)
        for entry in self.entries:
            if entry.done and entry.quantity_ug:
                taken[entry.jar] += entry.quantity_ug
        return dict(taken)

    def problems(self) -> str | None:
        """What failed and why, one sentence an entry, or None when the log names no failure."""
        failures = [
            f"{entry.spice} (jar {entry.jar}): {entry.error or 'failed'}"
            for entry in self.entries
            if not entry.done
        ]
        return "; ".join(failures) or None

    def entries_of_items(self, jars: Sequence[int]) -> list[ReportEntry | None]:
        """The entry of each item, given the items' jars in order; None for an item that the log leaves out.

        An entry belongs to the item whose order it names; without one, to the first item of its jar still without.
        """
        of_items: list[ReportEntry | None] = [None] * len(jars)
        unnamed = []
        for entry in self.entries:
            if entry.order is not None and 0 < entry.order <= len(jars) and of_items[entry.order - 1] is None:
                of_items[entry.order - 1] = entry
            else:
                unnamed.append(entry)
        for entry in unnamed:
            for place, jar in enumerate(jars):
                if jar == entry.jar and of_items[place] is None:
                    of_items[place] = entry
                    break
        return of_items
