"""The firmware's sockets and TLS on the real MicroPython, against real servers on loopback."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.on_micropython.test_interpreter import BOARD, ROOT, run_micropython

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.micropython


@dataclass(frozen=True)
class Authority:
    """A certificate authority and a server's certificate for localhost, as PEM files."""

    ca: Path
    certificate: Path
    key: Path


def make_authority(folder: Path) -> Authority:
    """Make one that nobody else knows."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test CA {folder.name}")])
    ca = _builder(ca_name, ca_name, ca_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    server = _builder(server_name, ca_name, key).add_extension(names, critical=False)
    authority = Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    authority.ca.write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    authority.certificate.write_bytes(
        server.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    authority.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return authority


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
    )


class Handler(http.server.BaseHTTPRequestHandler):
    """Says 200 to everything and keeps the connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


class QuietServer(http.server.ThreadingHTTPServer):
    """A handshake that fails is the client's business here."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


def serve(context: ssl.SSLContext | None) -> Iterator[int]:
    """A server's port, while it runs."""
    server = QuietServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def tls_port(authority: Authority) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    yield from serve(context)


@pytest.fixture(scope="module")
def plain_port() -> Iterator[int]:
    yield from serve(None)


def request(url: str, ca: Path | None = None, *, insecure: bool = False) -> tuple[int, int, str, int]:
    """Two statuses, the first error, and how often the cable was served."""
    script = str(BOARD / "tls_client.py")
    output = run_micropython(script, str(ROOT), url, str(ca or "none"), str(int(insecure)))
    statuses, error, served = output.strip().splitlines()[-1].split("|")
    first, second = statuses.split()
    return int(first), int(second), error.strip(), int(served)


def test_plain(plain_port: int) -> None:
    assert request(f"http://127.0.0.1:{plain_port}")[:2] == (200, 200)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_the_ca_vouches_for(authority: Authority, tls_port: int, host: str) -> None:
    assert request(f"https://{host}:{tls_port}", authority.ca)[:2] == (200, 200)


def test_several_cas_in_one_file(authority: Authority, tls_port: int, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(make_authority(tmp_path).ca.read_bytes() + authority.ca.read_bytes())
    assert request(f"https://localhost:{tls_port}", both)[:2] == (200, 200)


def test_another_ca_is_not_trusted(tls_port: int, tmp_path: Path) -> None:
    first, _, error, _ = request(f"https://localhost:{tls_port}", make_authority(tmp_path).ca)
    assert first == 0
    assert error


def test_a_certificate_for_another_name_is_not_trusted(authority: Authority, tls_port: int) -> None:
    first, _, error, _ = request(f"https://127.0.0.2:{tls_port}", authority.ca)
    assert first == 0
    assert error


def test_without_a_ca_nothing_is_sent(tls_port: int) -> None:
    first, _, error, _ = request(f"https://localhost:{tls_port}")
    assert (first, error) == (0, "sem CA para verificar o certificado")


def test_insecure_asks_nobody(tls_port: int) -> None:
    assert request(f"https://localhost:{tls_port}", insecure=True)[:2] == (200, 200)


def test_a_closed_port() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    first, _, error, _ = request(f"http://127.0.0.1:{port}")
    assert first == 0
    assert error


def test_a_silent_server_is_left_and_the_cable_served_meanwhile() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        first, second, error, served = request(f"http://127.0.0.1:{server.getsockname()[1]}")
    assert (first, second) == (0, 0)
    assert "silêncio" in error
    assert served > 100
