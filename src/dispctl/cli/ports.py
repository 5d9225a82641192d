"""`dispctl ports`: where boards are, and who holds them."""

from dispctl.cli.options import Json, Quiet, Verbose


def ports(*, json: Json = False, verbose: Verbose = False, quiet: Quiet = False) -> None:
    """List serial ports and running virtual boards."""
    from dataclasses import asdict

    from rich.table import Table

    from dispctl.cli.console import Console
    from dispctl.operations.ports import list_ports

    console = Console(json=json, quiet=quiet, verbose=verbose)
    listed = list_ports()
    if not listed:
        console.message("No port was found. Connect a board, or start a virtual one: dispctl sim run.")
    table = Table("port", "USB id", "bridge", "alias", "held by", box=None, pad_edge=False)
    for found in listed:
        held_by = ", ".join(found.held_by)
        table.add_row(
            found.port, found.usb_id or "-", found.bridge or "-", found.alias or "-", held_by or "-"
        )
    console.result({"ports": [asdict(found) for found in listed]}, *([table] if listed else []))
