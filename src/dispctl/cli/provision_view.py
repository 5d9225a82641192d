"""What a board tells while it is provisioned, step by step, and its settings, for a person and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispctl.operations import provision_events as told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dispctl.cli.console import Console
    from dispctl.operations.provision_events import ProvisionEvent


def tell_steps(
    console: Console, events: Iterable[ProvisionEvent], result: dict[str, Any], outcome: str
) -> None:
    """Each step as it happens, then what all of them came to."""
    saved = False
    try:
        with console.waiting("Waiting for the board…"):
            for event in events:
                saved = saved or isinstance(event, told.SettingsSaved)
                result |= _learned(event)
                console.message(_words(event))
    except KeyboardInterrupt:
        if saved:
            console.message("The board goes on with what it has. See how far: dispctl provision --test.")
        raise
    console.result(result, f"{result['uid']} {outcome}.")


def show_settings(console: Console, settings: dict[str, Any]) -> None:
    """The board's settings as a table."""
    from rich.table import Table

    table = Table("setting", "value", box=None)
    for name in sorted(settings):
        table.add_row(name, _shown(settings[name]))
    console.result(settings, table)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(each)}" for name, each in sorted(value.items()))
    return "-" if value is None else str(value)


def _words(event: ProvisionEvent) -> str:
    match event:
        case told.BoardFound(uid, version, state):
            words = f"✓ {uid} answers (firmware {version}, {state})"
        case told.ActuatorSaved(restart_needed):
            words = "✓ it knows its actuator" + (", from its next start on" if restart_needed else "")
        case told.SettingsSaved():
            words = "✓ it has the settings and tries them"
        case told.PourAwaited(job_id, item, total):
            words = f"… it pours item {item} of {total} of job {job_id} first"
        case told.NetworkJoined(ssid, rssi_dbm):
            words = f"✓ joined {ssid}" + ("" if rssi_dbm is None else f" ({rssi_dbm} dBm)")
        case told.BackendReached(url):
            words = f"✓ reached {url}"
        case told.BoardClaimed():
            words = "✓ claimed"
        case told.SeenOnline():
            words = "✓ seen online by the backend"
    return words


def _learned(event: ProvisionEvent) -> dict[str, Any]:
    """What an event adds to the ``--json`` object."""
    if isinstance(event, told.BoardFound):
        return {"uid": event.uid, "version": event.version}
    if isinstance(event, told.NetworkJoined):
        return {"joined": True, "rssi_dbm": event.rssi_dbm}
    if isinstance(event, told.BoardClaimed):
        return {"claimed": True}
    return {"online": True} if isinstance(event, told.SeenOnline) else {}
