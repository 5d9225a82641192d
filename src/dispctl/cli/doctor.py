"""`dispctl doctor`: what is wrong with this machine's set-up."""

import typer

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Quiet, Verbose

SIGNS = {"ok": ("✓", "green"), "note": ("⚠", "yellow"), "bad": ("✗", "red")}


def doctor(
    *, backend: Backend = DEFAULT_BACKEND, json: Json = False, verbose: Verbose = False, quiet: Quiet = False
) -> None:
    """Look at versions, settings, ports, virtual boards and the backend; say what to do about what is wrong.

    Ends with 0 if nothing is, else with the code that commands would end with for the first thing that is.
    """
    from rich.text import Text

    from dispctl.cli.backend_view import plain_table
    from dispctl.operations.doctor import BAD, examine

    console = Console(json=json, quiet=quiet, verbose=verbose)
    found = list(examine(backend))
    table = plain_table("", "What", "Found", "What to do")
    for each in found:
        sign, style = SIGNS[each.state]
        table.add_row(Text(sign, style=style), each.subject, each.finding, each.advice)
    document = [{**vars(each), "exit_code": int(each.exit_code)} for each in found]
    console.result({"findings": document}, table)
    wrong = [each.exit_code for each in found if each.state == BAD]
    if wrong:
        raise typer.Exit(wrong[0])
