"""What the demo yields: its stages, its facts, its proof, and the events of the operations it is made of."""

from dataclasses import dataclass

from dispctl.operations import flash
from dispctl.operations.demo_proof import Comparison
from dispctl.operations.inspect_flash import Inspected
from dispctl.operations.monitor import LineSeen
from dispctl.operations.provision_events import ProvisionEvent


@dataclass(frozen=True)
class StageBegun:
    """A stage of the story; `command` is what a person would type for it, where it is one command.

    `can_wait` says that the story is the same when somebody stops to look here: not while a jar is open.
    """

    number: int
    title: str
    command: str | None = None
    can_wait: bool = True


@dataclass(frozen=True)
class Told:
    """A fact of the story, in a sentence."""

    sentence: str


@dataclass(frozen=True)
class Proved:
    """The end: what was asked against what is found."""

    comparisons: tuple[Comparison, ...]
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether every line does."""
        return all(comparison.agrees for comparison in self.comparisons)


DemoEvent = StageBegun | Told | LineSeen | Inspected | flash.Event | ProvisionEvent | Proved
