"""`dispctl jobs`: the operator's jobs, newest first."""

from typing import Annotated

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Quiet, Verbose


def jobs(
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many.")] = 10,
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """List your jobs, newest first."""
    from dispctl.cli.backend_view import jobs_table
    from dispctl.operations.backend_session import open_backend, open_journal
    from dispctl.operations.job_search import newest_jobs

    console = Console(json=json, quiet=quiet, verbose=verbose)
    with open_backend(backend) as client:
        found = list(newest_jobs(client, open_journal(backend).newest_id, limit))
    if not found:
        console.message("There is no job yet. Send one with dispctl send-job.")
    console.result({"jobs": [job.to_wire() for job in found]}, *([jobs_table(found)] if found else []))
