"""``dispctl provision --improv``: any device that speaks Improv Serial, joined to a Wi-Fi."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispctl.adapters.improv import ImprovLine
    from dispctl.cli.console import Console
    from dispctl.cli.wifi_questions import WifiSource
    from dispctl.operations.improv import DeviceFound


def join_device(console: Console, line: ImprovLine, source: WifiSource, *, timeout_s: float) -> None:
    """Find the device, let the operator choose a network if the options leave that open, and join it."""
    from dispctl.operations import improv as operation

    device = operation.find_device(line)
    console.message(f"✓ {_words(device)} answers ({device.state})")
    wifi = source.credentials(console, lambda: operation.scan_networks(line))
    for event in operation.join(line, wifi, timeout_s=timeout_s):
        if isinstance(event, operation.DeviceJoined):
            data = {
                "firmware": device.firmware,
                "version": device.version,
                "chip": device.chip,
                "name": device.name,
                "ssid": event.ssid,
                "joined": True,
                "urls": list(event.urls),
            }
            further = f" It goes on at {event.urls[0]}" if event.urls else ""
            console.result(data, f"{device.name or 'The device'} has joined {event.ssid}.{further}")


def show_device(console: Console, line: ImprovLine) -> None:
    """Say who is there."""
    from dispctl.operations.improv import find_device

    device = find_device(line)
    data = {"firmware": device.firmware, "version": device.version, "chip": device.chip, "name": device.name}
    console.result({**data, "state": device.state}, f"{_words(device)}: {device.state}")


def _words(device: DeviceFound) -> str:
    program = " ".join(filter(None, (device.firmware, device.version)))
    about = ", ".join(filter(None, (program, device.chip)))
    return f"{device.name or 'an Improv device'} ({about})" if about else device.name or "an Improv device"
