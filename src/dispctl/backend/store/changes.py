"""What a transaction changed that somebody may wait for: a job, or the queue that an operator's boards ask."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

_NOTED = "changes"


@dataclass(frozen=True)
class Change:
    """Something happened to an operator's queue, and, where `job_id` is given, to that job."""

    operator_id: int
    job_id: int | None = None


# What may have changed when nobody can say what has.
ANYTHING = Change(operator_id=0)

Told = Callable[[Change], None]


class Carrier(Protocol):
    """Brings changes from where they are made to whoever waits, in this process or another."""

    def follow(self, told: Told) -> None:
        """Have `told` called with every change, from any thread, from now until `close`."""

    def send(self, session: Session, changes: Sequence[Change]) -> None:
        """The transaction is about to be committed with these changes."""

    def sent(self, changes: Sequence[Change]) -> None:
        """The transaction with these changes is committed."""

    def close(self) -> None:
        """Tell nobody any more."""


class WithinProcess:
    """Tells this process alone: an SQLite file has no way to tell another."""

    def __init__(self) -> None:
        self._told: Told | None = None

    def follow(self, told: Told) -> None:
        """Have `told` called after every commit."""
        self._told = told

    def send(self, session: Session, changes: Sequence[Change]) -> None:
        """Nothing is told before it is true."""

    def sent(self, changes: Sequence[Change]) -> None:
        """Tell."""
        for change in changes:
            if self._told is not None:
                self._told(change)

    def close(self) -> None:
        """Tell nobody any more."""
        self._told = None


def note(session: Session, operator_id: int, job_id: int | None = None) -> None:
    """Note a change; it is told when, and only if, the transaction is committed."""
    session.info.setdefault(_NOTED, {})[Change(operator_id, job_id)] = None


def noted(session: Session) -> list[Change]:
    """The changes that were noted, each once, in order."""
    return list(session.info.get(_NOTED, ()))
