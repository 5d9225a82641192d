"""``dispctl backend``: the embedded backend."""

import errno
import ipaddress
import signal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from platformdirs import user_data_path

from dispctl.cli import backend_data
from dispctl.cli.backend_database import DatabaseUrl, url_or_default, usable
from dispctl.cli.console import Console
from dispctl.cli.options import Json, Quiet, Verbose
from dispctl.errors import BackendUnreachableError, ExitCode, UsageError

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI

app = typer.Typer(no_args_is_help=True, help="The embedded backend.")
app.command()(backend_data.backup)
app.command()(backend_data.restore)
app.add_typer(backend_data.user, name="user")


class LogFormat(str, Enum):
    """How log records are written."""

    TEXT = "text"
    JSON = "json"


@app.callback()
def backend() -> None:
    """The embedded backend: boards and operators over HTTP, on this machine."""


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at; 0: any.")] = 8000,
    database: DatabaseUrl = None,
    secret_file: Annotated[
        Path | None,
        typer.Option(help="The secret that signs the cookies; default: made beside the database."),
    ] = None,
    log_format: Annotated[
        LogFormat, typer.Option(help="How standard error tells of requests and trouble.")
    ] = LogFormat.TEXT,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Run the backend until Ctrl-C or SIGTERM; prints its address once it answers."""
    console = Console(json=json, verbose=verbose, quiet=quiet)
    application = _application(host, database, secret_file)

    from dispctl.backend import serve as server

    with _listen(host, port) as listener:
        url = server.url_of(listener)
        stopped_by = server.serve(
            application,
            listener,
            on_ready=lambda: _say_ready(console, url),
            requests=verbose,
            as_json=log_format is LogFormat.JSON,
        )
    console.message("The backend has stopped.")
    if stopped_by == signal.SIGINT:
        raise typer.Exit(ExitCode.INTERRUPTED)


def _say_ready(console: Console, url: str) -> None:
    console.result({"backend": url}, f"backend: {url}")
    # A pipe is buffered; whoever waits for the address waits for this.
    console.out.file.flush()
    console.message("Ctrl-C stops it.")


def _application(host: str, database: str | None, secret_file: Path | None) -> "FastAPI":
    """The ASGI application; raises `UsageError` for settings that cannot be meant, or a missing extra."""
    with usable():
        from dispctl.backend.app import create_app
        from dispctl.backend.settings import Settings

        url = url_or_default(database)
        return create_app(Settings(url, _secret(host, secret_file, _secret_beside(url))))


def _secret_beside(url: str) -> Path:
    """Where the secret is kept when none is named: beside an SQLite file, else in the user's data folder."""
    from dispctl.backend.store.database import parse_url
    from dispctl.backend.store.sqlite import database_file

    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        return user_data_path("dispctl") / "backend.secret"
    file = database_file(parsed)
    return file.with_name(file.name + ".secret")


def _secret(host: str, secret_file: Path | None, beside_database: Path) -> bytes:
    """The cookies' secret; a backend that others can reach has to be given one. Raises `UsageError`."""
    from dispctl.backend.secret_file import BadSecretFileError, read_or_create_secret, read_secret

    hint = "Make one: (umask 077; openssl rand -hex 32 > FILE), then add --secret-file FILE"
    if secret_file is None and not _is_loopback(host):
        raise UsageError(f"Listening at {host} lets others in and needs a secret of your own.", hint=hint)
    try:
        if secret_file is not None:
            return read_secret(secret_file)
        return read_or_create_secret(beside_database)
    except BadSecretFileError as error:
        raise UsageError(str(error), hint=hint) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> "socket.socket":
    from dispctl.backend.serve import listen

    try:
        return listen(host, port)
    except OSError as error:
        busy = error.errno == errno.EADDRINUSE
        reason = "another process holds it" if busy else error.strerror
        raise BackendUnreachableError(
            f"The backend cannot listen at {host}, port {port}: {reason}.",
            hint="Choose another with --port, or any free one with --port 0.",
        ) from error
