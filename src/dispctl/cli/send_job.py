"""`dispctl send-job`: a recipe for so many people, to the backend and so to the board."""

import sys
from enum import Enum
from typing import Annotated

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Port, Quiet, Verbose
from dispctl.cli.recipes import complete_recipe
from dispctl.errors import UsageError

People = Annotated[
    int | None,
    typer.Option(min=1, max=100, help="For so many people; left out, for the recipe's own portions."),
]
Wait = Annotated[
    bool, typer.Option("--wait", "-w", help="Follow the job to its end; 8 if it is not all done.")
]
Timeout = Annotated[
    float | None, typer.Option(min=0.1, metavar="SECONDS", help="With --wait: give up after so long, with 9.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and show what would be poured; send nothing.")]


class Way(str, Enum):
    """How the job gets to the board."""

    backend = "backend"
    serial = "serial"


def read_standard_input() -> str:
    """A recipe from standard input, which may be without an end; raises `UsageError`."""
    from dispctl.operations.order_job import LARGEST_FILE_BYTES

    text = sys.stdin.read(LARGEST_FILE_BYTES + 1)
    if len(text) > LARGEST_FILE_BYTES:
        raise UsageError("Standard input is too large: a recipe has at most 1 MiB.", hint="Nothing was sent.")
    return text


def send_job(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="A recipe's name or id, a file (.toml, .json, .yaml), or - for standard input.",
            autocompletion=complete_recipe,
        ),
    ] = None,
    *,
    item: Annotated[
        list[str] | None,
        typer.Option(
            "--item", "-i", metavar="SPICE=GRAMS", help="An ingredient, instead of a recipe; repeatable."
        ),
    ] = None,
    portions: Annotated[
        int | None, typer.Option(min=1, max=20, help="With --item: the grams are for so many portions (1).")
    ] = None,
    people: People = None,
    dry_run: DryRun = False,
    wait: Wait = False,
    timeout: Timeout = None,
    via: Annotated[
        Way,
        typer.Option(
            help="serial: hand the job to the board over the cable, with or without a network there."
        ),
    ] = Way.backend,
    port: Port = "auto",
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Send a job, by a recipe's name, id or file, or by its ingredients; safe to repeat."""
    from dispctl.cli.order_view import send
    from dispctl.operations.backend_session import open_backend, open_journal
    from dispctl.operations.order_job import Request, order_job, requested

    console = Console(json=json, quiet=quiet, verbose=verbose)
    request = Request(recipe, item or (), portions, people)
    if via is Way.serial:
        from dispctl.cli.cable_order import CableOrder, send_over_cable

        order = CableOrder(request, read_standard_input, dry_run=dry_run, wait=wait, timeout_s=timeout)
        send_over_cable(console, order, backend, port)
        return
    with open_backend(backend) as client:
        draft, for_people = requested(request, client.recipes, read_standard_input)
        journal = open_journal(backend)
        events = order_job(client, journal, draft, for_people, dry_run=dry_run)
        send(console, client, journal, events, dry_run=dry_run, wait=wait, timeout_s=timeout)
