"""Writes ``docs/cli.md`` from the commands themselves: ``python -m dispctl.cli.reference > docs/cli.md``.

The page is compared with the commands by a test, so that neither can change without the other.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

import typer

from dispctl.cli.app import app
from dispctl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.BUG: "a bug: traceback",
    ExitCode.USAGE: "usage",
    ExitCode.NO_BOARD: "no board, or the port is busy",
    ExitCode.REFUSED: "the board refuses: a job is under way, wrong chip, wrong board",
    ExitCode.SILENT: "the board is silent or garbled",
    ExitCode.DAMAGED: "verification failed, or the image or the job state is damaged",
    ExitCode.BACKEND: "the backend refuses or cannot be reached",
    ExitCode.JOB: "the job ended partial or failed",
    ExitCode.DEADLINE: "what was waited for did not come in time",
    ExitCode.INTERRUPTED: "Ctrl-C",
    ExitCode.NOBODY_READS: "nobody reads the result any more, as in `dispctl jobs \\| head -1`; nothing is said",
}

HEAD = """\
# The commands

Results go to standard output, messages and progress to standard error. With `--json` a result is one object, or one
object a line where things happen over time, and a failure is `{"error": {"code", "message", "hint"}}`. Settings are
taken from the option, else the environment, else `dispctl.toml` in the current folder, else the user's `config.toml`.

*This page is written by `python -m dispctl.cli.reference`.*
"""


def page() -> str:
    """The whole page as Markdown."""
    root: Any = typer.main.get_command(app)
    root.load_all()
    parts = [HEAD, "## Exit codes", _exit_codes()]
    parts += [_section(path, command) for path, command in _commands("dispctl", root)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _exit_codes() -> str:
    rows = [f"| {int(code)} | {MEANINGS[code]} |" for code in ExitCode]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None or getattr(command, "invoke_without_command", False):
        yield path, command
    for name, child in (children or {}).items():
        if not child.hidden:
            yield from _commands(f"{path} {name}", child)


def _section(path: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join([path, *(_argument(a) for a in arguments), *(["[OPTIONS]"] if options else [])])
    parts = [f"## `{path}`", inspect.cleandoc(command.help or ""), f"```text\n{usage}\n```"]
    if options:
        parts.append("\n".join(["| option | meaning |", "|---|---|", *(_option(o) for o in options)]))
    return "\n\n".join(parts)


def _argument(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    name = f"{name}…" if argument.nargs == -1 else name
    return name if argument.required else f"[{name}]"


def _option(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    words = " ".join((option.help or "").split()).replace("|", "\\|")
    variables = (
        option.envvar
        if isinstance(option.envvar, (list, tuple))
        else [option.envvar]
        if option.envvar
        else []
    )
    if variables:
        words += f" Environment: {', '.join(f'`{v}`' for v in variables)}."
    return f"| {names} | {words} |"


if __name__ == "__main__":
    sys.stdout.write(page())
