"""`dispctl jars`: what the jars hold, how fast they pour and what is left."""

from typing import TYPE_CHECKING, Annotated

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Quiet, Verbose

if TYPE_CHECKING:
    from dispctl.adapters.backend_records import Jar

app = typer.Typer(invoke_without_command=True, help="The jars: spice, calibration and stock.")


@app.callback()
def jars(
    context: typer.Context,
    *,
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show the jars, or change one with `jars set`."""
    if context.invoked_subcommand is None:
        show(backend=backend, json=json, verbose=verbose, quiet=quiet)


@app.command()
def show(
    *, backend: Backend = DEFAULT_BACKEND, json: Json = False, verbose: Verbose = False, quiet: Quiet = False
) -> None:
    """Show the jars."""
    from dispctl.operations.backend_session import open_backend
    from dispctl.operations.jars import all_jars

    console = Console(json=json, quiet=quiet, verbose=verbose)
    with open_backend(backend) as client:
        _show_jars(console, all_jars(client))


@app.command(name="set")
def set_command(
    number: Annotated[int, typer.Argument(min=1, max=4, metavar="JAR", help="The jar, 1 to 4.")],
    *,
    spice: Annotated[str | None, typer.Option(help="What is in it.")] = None,
    rate: Annotated[float | None, typer.Option(metavar="G_PER_S", help="Grams it pours in a second.")] = None,
    stock: Annotated[float | None, typer.Option(metavar="GRAMS", help="Grams that are in it now.")] = None,
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Change one jar; what is not given stays as it is."""
    from dispctl.operations.backend_session import open_backend
    from dispctl.operations.jars import JarChange, set_jar

    console = Console(json=json, quiet=quiet, verbose=verbose)
    change = JarChange(spice, rate, stock)
    with open_backend(backend) as client:
        changed = set_jar(client, number, change)
    for other in changed.same_spice_in:
        console.warning(f"Jar {other} holds the same spice; jobs pour from the lower number.")
    _show_jars(console, changed.jars)


def _show_jars(console: Console, shown: "list[Jar]") -> None:
    from dispctl.cli.backend_view import jars_table

    document = [{**jar.to_wire(), "updated_at": jar.updated_at} for jar in shown]
    console.result({"jars": document}, jars_table(shown))
