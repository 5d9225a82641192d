"""The Typer app: the table of commands, and the one place where a `DispctlError` becomes text and an exit code."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer import completion

from dispctl import __version__
from dispctl.cli.lazy_group import LazyGroup
from dispctl.errors import DispctlError, UsageError

SECTIONS = {
    "Board": {
        "ports": "List serial ports and running virtual boards.",
        "flash": "Write MicroPython and the firmware, keeping settings and a saved job.",
        "provision": "Put the board on a network and hand it to the backend.",
        "monitor": "Show what the board prints; never resets it, never types.",
        "inspect-flash": "Show the job saved on a board, and what the board will do next.",
    },
    "Jobs": {
        "send-job": "Send a job, by a recipe's name, id or file, or by its ingredients.",
        "jobs": "List your jobs, newest first.",
        "job": "Show a job, follow it, cancel it, send once more what failed.",
        "recipes": "List your recipes.",
        "jars": "Show and change what the jars hold; calibrate them.",
    },
    "Backend": {
        "login": "Log in to the backend.",
        "logout": "Log out of the backend.",
        "devices": "List your boards, and which of them are online.",
    },
    "This machine": {
        "doctor": "Say what is wrong with the set-up, and what to do.",
        "config": "Show which settings count, and where they come from.",
    },
    "Without hardware": {
        "demo": "The whole story on this machine: a power cut, and the proof that nothing was lost.",
        "sim": "The virtual board: run it, cut its power, ask it what was poured.",
        "backend": "The embedded backend.",
    },
}
"""What ``dispctl --help`` lists; each command's own help says more."""


class RootGroup(LazyGroup):
    """Shows every expected failure as a sentence and a hint; bugs keep their traceback."""

    sections = SECTIONS
    package = "dispctl.cli"

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; raises `typer.Exit` with the failure's own code.

        Text that cannot be encoded came from outside: an argument's or a password's bytes that are no UTF-8.
        """
        try:
            return super().invoke(ctx)
        except DispctlError as error:
            from dispctl.cli import console

            console.show_failure(error)
            raise typer.Exit(error.exit_code) from error
        except UnicodeError as error:
            from dispctl.cli import console

            failure = UsageError(
                "What was given is not UTF-8 text.", hint="Give names and addresses as UTF-8."
            )
            console.show_failure(failure)
            raise typer.Exit(failure.exit_code) from error


app = typer.Typer(
    cls=RootGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Flash, provision, feed, watch and repair a four-jar spice dispenser.",
)


completion.get_completion_inspect_parameters()  # makes the shells known


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
    # Typer's own two default to None; see `LazyGroup.get_help_option`.
    _install_completion: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            callback=completion.install_callback,
            help="Install completion for this shell.",
        ),
    ] = False,
    _show_completion: Annotated[
        bool,
        typer.Option(
            "--show-completion", callback=completion.show_callback, help="Show completion for this shell."
        ),
    ] = False,
) -> None:
    """Flash, provision, feed, watch and repair a four-jar spice dispenser."""
    from dispctl.adapters.config_files import config_files

    files = config_files()
    if files and isinstance(context.command, LazyGroup):
        from dispctl.cli.configuration import default_map

        context.default_map = default_map(context.command, files, only=context.invoked_subcommand)
