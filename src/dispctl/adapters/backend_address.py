"""A backend's address in one spelling, so that a session is found again, and why it is not reached; opens no connection."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from dispctl.errors import UsageError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NO_TLS = {"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"}
"""What OpenSSL's versions call the first bytes of an HTTP server's answer."""


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


def reason_of(error: BaseException) -> str:
    """In plain words what the operating system or TLS said of a server, found along the chain of causes."""
    import socket
    import ssl

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return "what listens there speaks no TLS (http:// instead of https://?)"
        if isinstance(cause, socket.gaierror):
            return "its name is not known here"
        if isinstance(cause, ConnectionRefusedError):
            return "nothing listens there"
        if isinstance(cause, TimeoutError):
            return "no answer to the connection attempt"
        cause = cause.__cause__ or cause.__context__
    return str(error).rstrip(".") or type(error).__name__
