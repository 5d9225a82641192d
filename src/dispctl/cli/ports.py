"""`dispctl ports`: where boards are, who holds them, and what they are called."""

from typing import Annotated

import typer

from dispctl.cli.options import Json, Quiet, Verbose

app = typer.Typer(invoke_without_command=True, help="List serial ports and running virtual boards.")


@app.callback()
def ports(
    context: typer.Context,
    *,
    identify: Annotated[
        bool,
        typer.Option(
            "--identify", help="Ask the firmware on every free port for its MAC; nothing stops or resets."
        ),
    ] = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """List serial ports and running virtual boards."""
    if context.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from rich.table import Table

    from dispctl.cli.console import Console
    from dispctl.operations.ports import list_ports

    console = Console(json=json, quiet=quiet, verbose=verbose)
    listed = list_ports(identify=identify)
    if not listed:
        console.message("No port was found. Connect a board, or start a virtual one: dispctl sim run.")
    table = Table("port", "USB id", "bridge", "MAC", "alias", "held by", box=None, pad_edge=False)
    for found in listed:
        held_by = ", ".join(found.held_by)
        fields = (found.usb_id, found.bridge, found.mac, found.alias, held_by)
        table.add_row(found.port, *(field or "-" for field in fields))
    console.result({"ports": [asdict(found) for found in listed]}, *([table] if listed else []))


@app.command()
def alias(
    name: Annotated[
        str | None, typer.Argument(help="The name, as bench-1; without it all are listed.")
    ] = None,
    where: Annotated[
        str, typer.Argument(metavar="PORT|MAC", help="Which board; default: the one connected.")
    ] = "auto",
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Forget the name.")] = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Name a board by its MAC, so that --port finds it wherever it is plugged in, and no other board in its place."""
    from rich.table import Table

    from dispctl.adapters.aliases import user_aliases
    from dispctl.cli.console import Console
    from dispctl.errors import UsageError
    from dispctl.operations.ports import name_board

    console = Console(json=json, quiet=quiet, verbose=verbose)
    if name is None:
        if remove:
            raise UsageError("--remove needs the name to forget.")
        table = Table("alias", "MAC", box=None, pad_edge=False)
        aliases = user_aliases().all()
        for each, mac in aliases.items():
            table.add_row(each, mac)
        console.result({"aliases": aliases}, *([table] if aliases else []))
    elif remove:
        user_aliases().remove(name)
        console.result({"removed": name}, f"{name} is forgotten.")
    else:
        mac = name_board(name, where)
        console.result({"alias": name, "mac": mac}, f"{name} is the board with the MAC {mac}.")
