"""`dispctl job`: one job: show it, follow it, cancel it, send once more what failed."""

from typing import TYPE_CHECKING, Annotated

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Quiet, Verbose, Yes
from dispctl.cli.send_job import DryRun, Timeout, Wait

if TYPE_CHECKING:
    from dispctl.adapters.backend_records import Job

app = typer.Typer(no_args_is_help=True, help="One job: show, follow, cancel, retry what failed.")

JobId = Annotated[
    int | None,
    typer.Argument(metavar="JOB", min=1, help="The job's id; left out: the active or the newest one."),
]


@app.command()
def show(
    job_id: JobId = None,
    *,
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show a job and its steps."""
    from dispctl.operations.backend_session import open_backend, open_journal
    from dispctl.operations.job import show_job

    console = Console(json=json, quiet=quiet, verbose=verbose)
    with open_backend(backend) as client:
        _show(console, show_job(client, open_journal(backend), job_id))


@app.command()
def cancel(
    job_id: JobId = None,
    *,
    yes: Yes = False,
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Cancel the active job; a board that has already taken it goes on pouring."""
    from dispctl.operations.backend_session import open_backend, open_journal
    from dispctl.operations.job import cancel_job, job_to_cancel

    console = Console(json=json, yes=yes, quiet=quiet, verbose=verbose)
    with open_backend(backend) as client:
        job = job_to_cancel(client, open_journal(backend), job_id)
        console.confirm(f"Cancel job {job.id}?")
        _show(console, cancel_job(client, job))


@app.command()
def follow(
    job_id: JobId = None,
    *,
    timeout: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="Give up after so long, with 9.")
    ] = None,
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Follow a job to its end, as `send-job --wait` does; 8 if it is not all done."""
    from dispctl.cli.backend_view import job_line
    from dispctl.cli.order_view import follow_in_backend
    from dispctl.operations.backend_session import open_backend, open_journal
    from dispctl.operations.follow_job import check_outcome
    from dispctl.operations.job import show_job

    console = Console(json=json, quiet=quiet, verbose=verbose)
    with open_backend(backend) as client:
        job = show_job(client, open_journal(backend), job_id)
        ended = follow_in_backend(console, client, job, timeout)
    check_outcome(ended)
    console.message(job_line(ended))


@app.command()
def retry_failed(
    job_id: JobId = None,
    *,
    dry_run: DryRun = False,
    wait: Wait = False,
    timeout: Timeout = None,
    backend: Backend = DEFAULT_BACKEND,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Send a new job of what was not done in an ended one; a jar that failed midway may have poured a part."""
    from dispctl.cli.order_view import send
    from dispctl.operations.backend_session import open_backend, open_journal
    from dispctl.operations.job import draft_of_failed, show_job
    from dispctl.operations.order_job import order_job

    console = Console(json=json, quiet=quiet, verbose=verbose)
    with open_backend(backend) as client:
        journal = open_journal(backend)
        draft, people = draft_of_failed(show_job(client, journal, job_id))
        events = order_job(client, journal, draft, people, dry_run=dry_run)
        send(console, client, journal, events, dry_run=dry_run, wait=wait, timeout_s=timeout)


def _show(console: Console, job: "Job") -> None:
    from dispctl.cli.backend_view import job_line, job_table

    console.result({"job": job.to_wire()}, job_line(job), job_table(job))
