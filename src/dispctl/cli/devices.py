"""`dispctl devices`: the operator's boards."""

from dispctl.cli.console import Console
from dispctl.cli.options import DEFAULT_BACKEND, Backend, Json, Quiet, Verbose


def devices(
    *, backend: Backend = DEFAULT_BACKEND, json: Json = False, verbose: Verbose = False, quiet: Quiet = False
) -> None:
    """List your boards, and which of them are online."""
    from dispctl.cli.backend_view import plain_table, since
    from dispctl.operations.backend_session import open_backend

    console = Console(json=json, quiet=quiet, verbose=verbose)
    with open_backend(backend) as client:
        found = client.devices()
    if not found:
        console.message("You have no board yet. Bring one in with dispctl provision.")
    table = plain_table("Id", "Board", "Firmware", "Online", "Last seen")
    for device in found:
        online = "✓ online" if device.online else "offline"
        table.add_row(
            str(device.id), device.uid, device.firmware_version or "-", online, since(device.last_seen)
        )
    online_any = any(device.online for device in found)
    document = {"devices": [device.to_wire() for device in found], "online_any": online_any}
    console.result(document, *([table] if found else []))
