"""`dispctl logout`: end the session with the backend."""

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Quiet, Verbose


def logout(
    *, backend: Backend = DEFAULT_BACKEND, json: Json = False, verbose: Verbose = False, quiet: Quiet = False
) -> None:
    """Log out: end the session at the backend and remove it from this machine."""
    from dispctl.operations.backend_session import log_out

    console = Console(json=json, quiet=quiet, verbose=verbose)
    ended = log_out(backend)
    if not ended.was_logged_in:
        console.message(f"You were not logged in at {ended.backend}.")
    elif ended.at_backend:
        console.message(f"Logged out at {ended.backend}.")
    else:
        console.warning(
            f"The backend at {ended.backend} could not be told; the session is removed from this machine."
        )
    console.result(vars(ended))
