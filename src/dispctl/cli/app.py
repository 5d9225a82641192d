"""The Typer app: the table of commands, and the one place where a `DispctlError` becomes text and an exit code."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import completion
from typer._click.exceptions import UsageError as ParserError  # Typer gives it no public name

from dispctl import __version__
from dispctl.cli.lazy_group import LazyGroup
from dispctl.cli.outlet import guard_outlets
from dispctl.errors import DispctlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse `args`; what they ask to be shown at once (``--help``, ``--version``) is shown here."""
        json = "--json" in args
        with failures_shown(json=json):
            context: Any = super().make_context(info_name, args, parent, **extra)
        context.meta[_JSON] = json
        return context

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; raises `typer.Exit` with the failure's own code."""
        with failures_shown(json=ctx.meta[_JSON]):
            return super().invoke(ctx)


_JSON = "dispctl.json"
"""Whether ``--json`` was given, to any command: also a failure before the command runs is told so."""


@contextmanager
def failures_shown(*, json: bool) -> Iterator[None]:
    """Show a failure of the block as what it is, and end with its exit code; what the parser refuses Typer shows.

    Text that cannot be encoded came from outside: an argument's or a password's bytes that are no UTF-8.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except ParserError as error:
        _add_origin(error)
        if json:
            from dispctl.cli import console

            console.tell_failure(_refused(error))
        raise
    except DispctlError as error:
        raise _shown(error, json=json) from error
    except UnicodeError as error:
        failure = UsageError("What was given is not UTF-8 text.", hint="Give names and addresses as UTF-8.")
        raise _shown(failure, json=json) from error


def _add_origin(error: Any) -> None:
    """Say where a value comes from that nobody has typed just now."""
    parameter, context = getattr(error, "param", None), error.ctx
    source = context.get_parameter_source(parameter.name) if parameter is not None and context else None
    if source is None or source.name not in {"DEFAULT_MAP", "ENVIRONMENT"}:
        return
    origin = "the environment"
    if source.name == "DEFAULT_MAP":
        from dispctl.adapters.config_files import config_places

        origin = " or ".join(str(path) for path in config_places() if path.is_file())
    error.message = f"{error.message.rstrip('.')}. It comes from {origin}."


def _refused(error: ParserError) -> UsageError:
    where = error.ctx.command_path if error.ctx else "dispctl"
    return UsageError(error.format_message(), hint=f"Try '{where} --help' for help.")


def _shown(error: DispctlError, *, json: bool) -> typer.Exit:
    from dispctl.cli import console

    console.show_failure(error, json=json)
    return typer.Exit(error.exit_code)


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


def run() -> None:
    """Run the command line of this process and leave it."""
    guard_outlets()
    app(prog_name="dispctl")
