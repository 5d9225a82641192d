"""`dispctl config`: where settings come from."""

import os
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import Json, Quiet, Verbose

if TYPE_CHECKING:
    from dispctl.cli.settings_origin import Setting

MOST_NAMED = 3

app = typer.Typer(no_args_is_help=True, help="The settings: which value each option has, and why.")


@app.command()
def show(
    context: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="Every option of this command, also what is not set."),
    ] = None,
    *,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show what is set and where: option > environment > the project's dispctl.toml > the user's config.toml > default."""
    from dispctl.adapters.config_files import config_files, config_places
    from dispctl.cli.backend_view import plain_table
    from dispctl.cli.settings_origin import BUILT_IN, settings
    from dispctl.errors import UsageError

    console = Console(json=json, quiet=quiet, verbose=verbose)
    root: Any = context.find_root().command
    wanted = " ".join(command or ())
    found = list(settings(root, config_files(), os.environ))
    if wanted and wanted not in {each.command for each in found}:
        raise UsageError(f"There is no command {wanted} with options.", hint="See dispctl --help.")
    shown = [each for each in found if (each.command == wanted if wanted else each.origin != BUILT_IN)]
    files = [{"path": str(place), "exists": place.is_file()} for place in config_places()]
    for file in files:
        console.detail(f"{file['path']}: {'read' if file['exists'] else 'not there'}")
    if not shown:
        console.message(
            "Nothing is set; every option has its default. See one command's: dispctl config show COMMAND."
        )
    table = plain_table("Option", "Value", "From", "For")
    for (option, value, origin), commands in _alike(shown).items():
        few = len(commands) <= MOST_NAMED
        table.add_row(option, value, origin, ", ".join(commands) if few else f"{len(commands)} commands")
    document = {"files": files, "settings": [vars(each) for each in shown]}
    console.result(document, *([table] if shown else []))


def _alike(shown: "list[Setting]") -> dict[tuple[str, str, str], list[str]]:
    """The commands for which an option has the same value for the same reason."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for each in shown:
        alike.setdefault((each.option, _text(each.value), each.origin), []).append(each.command)
    return alike


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
