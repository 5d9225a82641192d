"""What this machine knows of an operator's jobs: the newest id, a send whose answer never came, the jars as last seen.

The backend cannot list jobs and cannot recognise a repeated request; with these two a send is safe to repeat, also
by a later run of the command. The jars are for when the backend is out of reach. Knows nothing of HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispctl.adapters.backend_records import Jar
from dispctl.adapters.private_file import read_object, replace_object
from dispctl.adapters.session_file import file_of
from dispctl.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class JobOrder:
    """What is asked of the backend: a recipe for so many people."""

    recipe_id: int
    people: int


@dataclass(frozen=True)
class UnansweredSend:
    """An order that may have become a job; if so, its id is above `after_id`."""

    order: JobOrder
    after_id: int


class JobJournal:
    """One operator's jobs at one backend, in a file that every change replaces as a whole."""

    def __init__(self, path: Path, operator: str) -> None:
        self._path = path
        self._operator = operator

    @classmethod
    def of(cls, backend: str, operator: str) -> JobJournal:
        """The journal kept for this backend and operator."""
        return cls(file_of(backend, "jobs"), operator)

    @property
    def newest_id(self) -> int:
        """The highest job id known here, 0 for none; raises `DamagedError`."""
        return self._number(self._entry().get("newest_id", 0))

    @property
    def unanswered(self) -> UnansweredSend | None:
        """The send that was cut off, if the last one was; raises `DamagedError`."""
        kept = self._entry().get("unanswered")
        if kept is None:
            return None
        if not isinstance(kept, dict):
            raise self._damaged()
        order = JobOrder(self._number(kept.get("recipe_id")), self._number(kept.get("people")))
        return UnansweredSend(order, self._number(kept.get("after_id")))

    def begin(self, order: JobOrder, after_id: int) -> None:
        """Write down, before it happens, that the order is being sent."""
        unanswered = {"recipe_id": order.recipe_id, "people": order.people, "after_id": after_id}
        newest_id = max(after_id, self.newest_id)
        self._replace({**self._entry(), "newest_id": newest_id, "unanswered": unanswered})

    def settle(self, newest_id: int) -> None:
        """Write down that no send is open, and the highest id known now."""
        kept = {name: value for name, value in self._entry().items() if name != "unanswered"}
        self._replace({**kept, "newest_id": max(newest_id, self.newest_id)})

    @property
    def jars(self) -> list[Jar]:
        """The jars as they were last seen, [] if never; raises `DamagedError`."""
        try:
            return [Jar.from_wire(each) for each in self._entry().get("jars", ())]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._damaged() from None

    def remember_jars(self, jars: Sequence[Jar]) -> None:
        """Keep the jars as they are seen now."""
        self._replace(
            {**self._entry(), "jars": [{**jar.to_wire(), "updated_at": jar.updated_at} for jar in jars]}
        )

    def _entry(self) -> dict[str, Any]:
        entry = read_object(self._path).get(self._operator, {})
        if not isinstance(entry, dict):
            raise self._damaged()
        return entry

    def _replace(self, entry: dict[str, Any]) -> None:
        replace_object(self._path, {**read_object(self._path), self._operator: entry})

    def _number(self, value: Any) -> int:
        if not isinstance(value, int) or value < 0:
            raise self._damaged()
        return value

    def _damaged(self) -> DamagedError:
        return DamagedError(f"{self._path} is damaged.", hint="Look with dispctl jobs, then remove the file.")
