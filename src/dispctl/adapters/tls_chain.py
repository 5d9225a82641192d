"""Which authority a TLS server's certificate hangs from, asked of the server itself; knows nothing of HTTP."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dispctl.adapters.backend_address import reason_of
from dispctl.errors import BackendUnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT_S = 10.0
HTTPS_PORT = 443


class NotTrustedError(BackendUnreachableError):
    """The server's certificate does not hang from an authority that is trusted."""


def root_of(url: str) -> str:
    """The root that the certificate of an ``https://`` address hangs from, of those this system trusts, as PEM.

    Raises NotTrustedError when there is none, BackendUnreachableError when nobody answers.
    """
    chain = _verified_chain(url, ssl.create_default_context())
    return ssl.DER_cert_to_PEM_cert(chain[-1])


def require_signed_by(url: str, ca_pem: str) -> None:
    """Return if `ca_pem` vouches for the server; raises what `root_of` does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca_pem)
    _verified_chain(url, context)


def _verified_chain(url: str, context: ssl.SSLContext) -> Sequence[bytes]:
    """From the server's certificate to the root, in DER."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        with (
            socket.create_connection((host, parts.port or HTTPS_PORT), TIMEOUT_S) as raw,
            context.wrap_socket(raw, server_hostname=host) as secured,
        ):
            return _chain_of(secured)
    except ssl.SSLCertVerificationError as error:
        raise NotTrustedError(
            f"The certificate of {url} is not trusted: {error.verify_message}.",
            hint="Give the authority that signed it with --ca FILE.",
        ) from error
    except OSError as error:
        raise BackendUnreachableError(
            f"{url} cannot be reached from here: {reason_of(error)}.", hint="Check the address."
        ) from error


def _chain_of(secured: ssl.SSLSocket) -> Sequence[bytes]:
    if hasattr(secured, "get_verified_chain"):  # public since Python 3.13
        chain: Sequence[bytes] = secured.get_verified_chain()
        return chain
    inner: Any = secured._sslobj  # type: ignore[attr-defined] # noqa: SLF001 - has had it since Python 3.10
    return [
        ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in inner.get_verified_chain()
    ]
