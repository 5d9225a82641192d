"""TCP and TLS connections that never block longer than their deadline. The only file that knows sockets and ssl.

Sockets do not block; every wait goes through the injected `pause`, so that the cable is answered meanwhile. Only the
name lookup blocks (MicroPython has no other).
"""

import select
import socket
import ssl
from binascii import a2b_base64

from .http_client import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .http_client import Deadline

_IN_PROGRESS = (
    36,
    115,
    119,
)  # EINPROGRESS of macOS, of Linux and the ESP32's lwIP, of lwIP's older numbering
_ERRORS = select.POLLERR | select.POLLHUP


class Connection:
    """One open connection; a `write` or `read` raises HttpError or OSError when it comes to nothing."""

    def __init__(self, raw: "Any", stream: "Any", pause: "Callable[[int], None]") -> None:
        self._raw = raw
        self._stream = stream
        self._pause = pause

    def write(self, data: bytes, deadline: "Deadline") -> None:
        """Send all of `data`."""
        view = memoryview(data)
        while view:
            count = self._stream.write(view)
            if count:
                view = view[count:]
                deadline.heard()
            else:
                deadline.check()
                self._pause(deadline.pause_ms)

    def read(self, limit: int, deadline: "Deadline") -> bytes:
        """At least one byte, at most `limit`; b"" when the other side has closed."""
        while True:
            data = self._stream.read(limit)
            if data is not None:
                deadline.heard()
                deadline.check()
                return bytes(data)
            deadline.check()
            self._pause(deadline.pause_ms)

    def close(self) -> None:
        """Close; a connection that is already broken is closed too."""
        for stream in (self._stream, self._raw):
            try:
                stream.close()
            except OSError:
                pass


class Transport:
    """Opens connections; `ca_pem` and `insecure` are asked for at each TLS connection."""

    def __init__(
        self, pause: "Callable[[int], None]", tls_settings: "Callable[[], tuple[str | None, bool]]"
    ) -> None:
        self._pause = pause
        self._tls_settings = tls_settings

    def connect(self, host: str, port: int, secure: bool, deadline: "Deadline") -> Connection:
        """A connection, its certificate checked if `secure`. Raises HttpError, OSError or ValueError."""
        context = tls_context(*self._tls_settings()) if secure else None
        address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
        raw = socket.socket()
        try:
            raw.setblocking(False)
            self._join(raw, address, deadline)
            if context is None:
                return Connection(raw, raw, self._pause)
            stream = context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
        except BaseException:
            raw.close()
            raise
        return Connection(raw, stream, self._pause)

    def _join(self, raw: "Any", address: "Any", deadline: "Deadline") -> None:
        try:
            raw.connect(address)
        except OSError as error:
            if error.errno not in _IN_PROGRESS:
                raise
        poller = select.poll()
        poller.register(raw, select.POLLOUT)
        while True:
            for found in poller.poll(0):
                if found[1] & _ERRORS:
                    raise HttpError("conexão recusada")
                return
            deadline.check()
            self._pause(deadline.pause_ms)


def tls_context(ca_pem: "str | None", insecure: bool) -> "Any":
    """A context that accepts only what `ca_pem` vouches for. Raises HttpError if there is no CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if insecure:
        context.verify_mode = ssl.CERT_NONE
        return context
    if not ca_pem:
        raise HttpError("sem CA para verificar o certificado")
    context.verify_mode = ssl.CERT_REQUIRED
    for certificate in pem_certificates(ca_pem):
        context.load_verify_locations(cadata=certificate)
    return context


def pem_certificates(text: str) -> "list[bytes]":
    """The certificates of a PEM text in DER: not every build of MicroPython's TLS reads PEM. Raises ValueError."""
    blocks = [block.split("-----END")[0] for block in text.split("-----BEGIN CERTIFICATE-----")[1:]]
    return [a2b_base64(block.replace("\n", "").replace("\r", "")) for block in blocks]
