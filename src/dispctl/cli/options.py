"""Options that several commands share, so that they are spelled, explained and completed alike everywhere."""

from typing import Annotated

import typer


def complete_port(incomplete: str) -> list[str]:
    """Ports, running virtual boards and aliases that begin with what is typed."""
    from dispctl.adapters.aliases import user_aliases
    from dispctl.adapters.port import running_virtual_boards, serial_ports

    names = ["auto", *(port.path for port in serial_ports()), *user_aliases().all()]
    names += [f"sim:{board.name}" for board in running_virtual_boards()]
    return [name for name in names if name.startswith(incomplete)]


def complete_tag(incomplete: str) -> list[str]:
    """Tags of the firmware's log that begin with what is typed."""
    from dispctl.logs.tags import FIRMWARE_TAGS

    return [tag for tag in FIRMWARE_TAGS if tag.startswith(incomplete.upper())]


PORT_ENVIRONMENT = ["DISPCTL_PORT", "ESPTOOL_PORT", "ESPPORT"]

Port = Annotated[
    str,
    typer.Option(
        "--port",
        "-p",
        envvar=PORT_ENVIRONMENT,
        metavar="PORT",
        autocompletion=complete_port,
        help="Where the board is: a path, rfc2217://HOST:PORT, socket://HOST:PORT, sim: (the virtual board) or auto.",
    ),
]
Baud = Annotated[int, typer.Option("--baud", "-b", min=9600, help="Bits a second on the cable.")]
Backend = Annotated[
    str,
    typer.Option("--backend", envvar="DISPCTL_BACKEND", metavar="URL", help="The backend's address."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on standard error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but the result.")]

DEFAULT_BACKEND = "http://127.0.0.1:8000"
