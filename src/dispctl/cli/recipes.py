"""`dispctl recipes`: the operator's recipes, and their names for completion."""

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Quiet, Verbose
from dispctl.errors import DispctlError


def recipes(
    *, backend: Backend = DEFAULT_BACKEND, json: Json = False, verbose: Verbose = False, quiet: Quiet = False
) -> None:
    """List your recipes."""
    from dispctl.cli.backend_view import recipes_table
    from dispctl.operations.backend_session import open_backend

    console = Console(json=json, quiet=quiet, verbose=verbose)
    with open_backend(backend) as client:
        found = client.recipes()
    if not found:
        console.message("There is no recipe yet. dispctl send-job makes one from a file or from --item.")
    document = {"recipes": [recipe.to_wire() for recipe in found]}
    console.result(document, *([recipes_table(found)] if found else []))


def complete_recipe(context: typer.Context, incomplete: str) -> list[str]:
    """Names of recipes that begin with what is typed; none where the backend cannot be asked."""
    from dispctl.operations.backend_session import open_backend

    try:
        with open_backend(str(context.params.get("backend") or DEFAULT_BACKEND)) as client:
            names = [recipe.name for recipe in client.recipes()]
    except DispctlError:
        return []
    return [name for name in names if name.startswith(incomplete)]
