"""``dispctl backend backup``, ``restore`` and ``user``: the embedded backend's data, while it runs or not."""

from pathlib import Path
from typing import Annotated

import typer

from dispctl.cli.backend_database import DatabaseUrl, opened
from dispctl.cli.console import Console
from dispctl.cli.options import Json, Quiet, Verbose
from dispctl.errors import UsageError

user = typer.Typer(no_args_is_help=True, help="The embedded backend's operators.")

File = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="The backup.")]


def backup(
    file: File,
    *,
    database: DatabaseUrl = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Write everything the backend keeps to a new FILE; the backend may be running."""
    console = Console(json=json, verbose=verbose, quiet=quiet)
    with opened(database) as source:
        from dispctl.backend.store.backup import back_up

        back_up(source, file)
    size = file.stat().st_size
    console.result({"backup": str(file), "bytes": size}, f"{file}: {size:,} bytes")


def restore(
    file: File,
    *,
    database: DatabaseUrl = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Fill an empty database of either kind with what a backup holds."""
    console = Console(json=json, verbose=verbose, quiet=quiet)
    with opened(database) as target:
        from dispctl.backend.store.backup import restore as restore_to

        restore_to(file, target)
        shown = str(target.url)
    console.result({"restored": str(file), "database": shown}, f"{file} is restored to {shown}")


@user.callback()
def users() -> None:
    """The embedded backend's operators."""


@user.command()
def add(
    name: Annotated[str, typer.Argument(help="The operator's name.")],
    *,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    password_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Read the password from the environment variable NAME."),
    ] = None,
    database: DatabaseUrl = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Add an operator without going over the network."""
    from dispctl.cli.password import read_password

    console = Console(json=json, verbose=verbose, quiet=quiet)
    with opened(database) as target:
        from dispctl.backend.membership import register
        from dispctl.backend.refusals import Refusal

        password = read_password(console, from_stdin=password_stdin, from_variable=password_env, twice=True)
        try:
            operator_id = register(target, name, password)
        except Refusal as refusal:
            raise UsageError(refusal.detail, hint="Choose another name.") from refusal
    console.result({"id": operator_id, "nome": name}, f"Operator {name} added.")
