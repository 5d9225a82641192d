"""From what somebody asks for to a job in the backend: find or read the recipe, plan it, make it, send it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dispctl.adapters.backend_records import Recipe
from dispctl.adapters.given_file import read_given
from dispctl.adapters.job_journal import JobOrder
from dispctl.errors import BackendRefusedError, BackendUnreachableError, UsageError
from dispctl.operations.dose_plan import DosePlan, differences, plan
from dispctl.operations.recipe_document import FORMATS, RecipeDocument, read_document, read_items
from dispctl.operations.recipes import find_recipe, identical_recipe
from dispctl.operations.send_job import AnswerMissed, EarlierSendFound, Sent, send_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dispctl.adapters.backend_client import BackendClient
    from dispctl.adapters.backend_records import RecipeDraft
    from dispctl.adapters.job_journal import JobJournal

STANDARD_INPUT = "-"
LARGEST_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class Request:
    """What was asked for: `recipe` is a name, an id, a file or ``-``; or `items` are ``Spice=grams`` words."""

    recipe: str | None
    items: Sequence[str] = ()
    portions: int | None = None
    people: int | None = None


@dataclass(frozen=True)
class Planned:
    """What the job will pour; its problems are raised right after this event."""

    recipe: RecipeDraft
    people: int
    plan: DosePlan


@dataclass(frozen=True)
class RecipeReady:
    """The recipe is in the backend; `made` if it was not there before."""

    recipe: Recipe
    made: bool


@dataclass(frozen=True)
class PlanChanged:
    """The backend made another job of it than was planned."""

    differences: list[str]


@dataclass(frozen=True)
class NoBoardOnline:
    """The job waits until a board is online."""


OrderEvent = Planned | RecipeReady | AnswerMissed | EarlierSendFound | Sent | PlanChanged | NoBoardOnline


def requested(
    request: Request, list_recipes: Callable[[], Sequence[Recipe]], read_input: Callable[[], str]
) -> tuple[RecipeDraft, int]:
    """The recipe and for how many people (the recipe's portions unless said); raises `UsageError`.

    `list_recipes` and `read_input` (standard input's text) are called only where they are needed.
    """
    if (request.recipe is None) == (not request.items):
        raise UsageError(
            "Name a recipe or a file, or give --item, one of these.", hint="See dispctl send-job --help."
        )
    if request.portions is not None and not request.items:
        raise UsageError("--portions goes with --item; a recipe has its own.")
    if request.items:
        document = read_items(request.items, 1 if request.portions is None else request.portions)
    elif request.recipe == STANDARD_INPUT:
        document = read_document(read_input(), "", "standard input")
    elif request.recipe is not None and Path(request.recipe).suffix.lower() in FORMATS:
        document = _read_file(Path(request.recipe))
    else:
        document = RecipeDocument(find_recipe(list_recipes(), str(request.recipe)), None)
    return document.draft, request.people or document.people or document.draft.portions


def order_job(
    client: BackendClient, journal: JobJournal, recipe: RecipeDraft, people: int, *, dry_run: bool
) -> Iterator[OrderEvent]:
    """Plan the job and, unless `dry_run`, send it; raises as `DosePlan.check` and `send_job`."""
    jars = client.jars()
    journal.remember_jars(jars)
    planned = plan(recipe, people, jars)
    yield Planned(recipe, people, planned)
    planned.check()
    if dry_run:
        return
    ready = _ready(client, recipe)
    yield ready
    for event in send_job(client, JobOrder(ready.recipe.id, people), journal):
        yield event
        if isinstance(event, Sent):
            changed = differences(planned, event.job)
            if changed:
                yield PlanChanged(changed)
    if _nobody_online(client):
        yield NoBoardOnline()


def _ready(client: BackendClient, recipe: RecipeDraft) -> RecipeReady:
    if isinstance(recipe, Recipe):
        return RecipeReady(recipe, made=False)
    known = identical_recipe(client.recipes(), recipe)
    return RecipeReady(known or client.create_recipe(recipe), made=known is None)


def _nobody_online(client: BackendClient) -> bool:
    """Whether the backend knows that no board is online; the job is sent, so a failure to ask is none."""
    try:
        return not any(device.online for device in client.devices())
    except (BackendRefusedError, BackendUnreachableError):
        return False


def _read_file(path: Path) -> RecipeDocument:
    content = read_given(path, what="a recipe", most=LARGEST_FILE_BYTES, hint=_similar_files(path))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}, line {line}: not UTF-8.", hint="Nothing was sent.") from None
    return read_document(text, path.suffix.lower(), str(path))


def _similar_files(path: Path) -> str | None:
    names = (
        [each.name for each in path.parent.glob("*") if each.suffix.lower() in FORMATS and each != path]
        if path.parent.is_dir()
        else []
    )
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"Did you mean {path.parent / close[0]}?" if close else None
