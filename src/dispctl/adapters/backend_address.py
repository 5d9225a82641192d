"""A backend's address in one spelling, so that a session is found again; opens no connection."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from dispctl.errors import UsageError

_DEFAULT_PORTS = {"http": 80, "https": 443}


def normalized(address: str) -> str:
    """``scheme://host[:port][/path]``, lower case, without the default port and a last slash.

    Raises `UsageError` for anything that is no HTTP address, and for one that holds a password.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        parts = urlsplit("")
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.query or parts.fragment:
        raise UsageError(
            "The backend's address is not an HTTP address.",
            hint="It looks like http://127.0.0.1:8000 or https://dispenser.example.",
        )
    if parts.username or parts.password:
        raise UsageError(
            "The backend's address holds a name or password.", hint="Leave it out and use dispctl login."
        )
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{shown_host}{shown_port}{parts.path.rstrip('/')}"


def is_loopback(address: str) -> bool:
    """Whether the backend is on this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def sends_in_the_clear(address: str) -> bool:
    """Whether a password sent there can be read on the way."""
    return urlsplit(address).scheme == "http" and not is_loopback(address)
