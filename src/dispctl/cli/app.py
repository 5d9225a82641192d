"""The Typer app, and the one place where a `DispctlError` becomes text and an exit code."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dispctl import __version__
from dispctl.adapters.config_files import config_files
from dispctl.cli import console
from dispctl.cli.configuration import default_map
from dispctl.errors import DispctlError

COMMANDS = (
    "flash",
    "provision",
    "monitor",
    "inspect-flash",
    "send-job",
    "ports",
    "login",
    "logout",
    "devices",
    "recipes",
    "jobs",
)
GROUPS = ("jars", "job", "sim", "backend")


class ErrorHandlingGroup(TyperGroup):
    """Shows every expected failure as a sentence and a hint; bugs keep their traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; raises `typer.Exit` with the failure's own code."""
        try:
            return super().invoke(ctx)
        except DispctlError as error:
            console.show_failure(error)
            raise typer.Exit(error.exit_code) from error


app = typer.Typer(
    cls=ErrorHandlingGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Flash, provision, feed, watch and repair a four-jar spice dispenser.",
)


def show_version(wanted: bool) -> None:
    """Print the version and leave, when `--version` was given."""
    if wanted:
        typer.echo(f"dispctl {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and leave."),
    ] = False,
) -> None:
    """Flash, provision, feed, watch and repair a four-jar spice dispenser."""
    context.default_map = default_map(context.command, config_files())


def _register() -> None:
    for name in (*COMMANDS, "demo"):
        module_name = name.replace("-", "_")
        try:
            module = importlib.import_module(f"dispctl.cli.{module_name}")
        except ModuleNotFoundError:
            continue
        app.command(name)(getattr(module, module_name))
    for name in GROUPS:
        try:
            module = importlib.import_module(f"dispctl.cli.{name}")
        except ModuleNotFoundError:
            continue
        app.add_typer(module.app, name=name)


_register()
