"""`dispctl jars`: what the jars hold, how fast they pour and what is left."""

from typing import TYPE_CHECKING, Annotated

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Port, Quiet, Verbose, Yes
from dispctl.errors import UsageError

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


@app.command()
def calibrate(
    number: Annotated[int, typer.Argument(min=1, max=4, metavar="JAR", help="The jar, 1 to 4.")],
    *,
    seconds: Annotated[float, typer.Option(metavar="SECONDS", help="How long it pours.")] = 5.0,
    grams: Annotated[
        float | None, typer.Option(metavar="GRAMS", help="What fell, where nobody can be asked.")
    ] = None,
    yes: Yes = False,
    port: Port = "auto",
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Pour for a measured time over the cable, ask what fell, and set the jar's rate; the stock stays as it is."""
    from dispctl.operations import calibrate as operation
    from dispctl.operations.backend_session import open_backend
    from dispctl.operations.jars import JarChange, all_jars, set_jar

    console = Console(json=json, yes=yes, quiet=quiet, verbose=verbose)
    with open_backend(backend) as client:
        jar = all_jars(client)[number - 1]
        console.confirm(f"Jar {number} will be open for {seconds:g} s. Is an empty dish under it, on scales?")
        if grams is None and not console.interactive:
            raise UsageError("Nobody is there to say what fell.", hint="Give it with --grams.")
        poured_ms = _pour(console, port, jar, seconds)
        weight = (
            console.ask_amount("Grams in the dish", hint="Give them with --grams.")
            if grams is None
            else grams
        )
        rate = operation.rate_g_per_s(weight, poured_ms)
        changed = set_jar(client, number, JarChange(rate_g_per_s=rate))
    console.message(f"{weight:g} g in {poured_ms / 1000:.2f} s: jar {number} pours {rate:g} g/s.")
    _show_jars(console, changed.jars)


def _pour(console: Console, port: str, jar: "Jar", seconds: float) -> int:
    from dispctl.adapters.control import open_control
    from dispctl.operations.calibrate import Measured, pour

    poured_ms = 0
    with open_control(port) as control, console.progress(f"Jar {jar.number}") as bar:
        for event in pour(control, jar, seconds):
            poured_ms = event.poured_ms
            if not isinstance(event, Measured):
                bar.update(event.poured_ms, event.asked_ms)
    return poured_ms


def _show_jars(console: Console, shown: "list[Jar]") -> None:
    from dispctl.cli.backend_view import jars_table

    document = [{**jar.to_wire(), "updated_at": jar.updated_at} for jar in shown]
    console.result({"jars": document}, jars_table(shown))
