"""`dispctl login`: open a session with the backend."""

from typing import Annotated

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Quiet, Verbose


def login(
    name: Annotated[str | None, typer.Argument(help="The operator's name; asked for if left out.")] = None,
    *,
    register: Annotated[bool, typer.Option("--register", help="Create the operator first.")] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    password_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Read the password from the environment variable NAME."),
    ] = None,
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Log in to the backend; the session is kept in a file that only you can read."""
    from dispctl.adapters.backend_address import normalized, sends_in_the_clear
    from dispctl.adapters.backend_client import BackendClient
    from dispctl.cli.password import read_password
    from dispctl.operations.backend_session import LoggedIn, log_in

    console = Console(json=json, quiet=quiet, verbose=verbose)
    if sends_in_the_clear(normalized(backend)):
        console.warning("The password goes over the network unencrypted: the backend's address is not https.")
    operator = name or console.ask("The operator's name", hint="Give it: dispctl login NAME.")
    password = read_password(console, from_stdin=password_stdin, from_variable=password_env, twice=register)
    with BackendClient(backend) as client:
        for event in log_in(client, operator, password, register=register):
            if isinstance(event, LoggedIn):
                console.message(f"Logged in at {event.backend} as {event.operator.name}.")
                who = {"id": event.operator.id, "nome": event.operator.name}
                console.result({"backend": event.backend, "operator": who})
            else:
                console.message(f"Operator {event.operator.name} created.")
