"""A backend behind HTTPS with an authority of the test's own: the board's MicroPython checks the certificate."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dispctl.adapters.control import open_control
from dispctl.adapters.tls_chain import NotTrustedError, require_signed_by, root_of
from dispctl.errors import BackendUnreachableError
from dispctl.operations.provision import BackendAccess, WifiCredentials, provision
from tests.end_to_end.conftest import PASSWORD, SSID, WIFI_PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.end_to_end.conftest import Board, Workshop

NOW = dt.datetime.now(dt.timezone.utc)
POLL_S = 0.1
DAY = dt.timedelta(days=1)


class Authority:
    """A root of its own that signs certificates for this machine."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self._root = self._signed(self._name, self._key.public_key(), constraints, critical=True)

    @property
    def pem(self) -> str:
        """The root's certificate."""
        return self._root.public_bytes(serialization.Encoding.PEM).decode()

    def context(self, folder: Path) -> ssl.SSLContext:
        """A server's context with a certificate for ``localhost``."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = self._signed(
            subject, key.public_key(), x509.SubjectAlternativeName(names), critical=False
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        file = folder / "server.pem"
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        extension: x509.ExtensionType,
        *,
        critical: bool,
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(NOW - DAY).not_valid_after(NOW + 30 * DAY)
        return builder.add_extension(extension, critical=critical).sign(self._key, hashes.SHA256())


class SecureFront:
    """An HTTPS server before the backend: takes the encryption off and hands the bytes on."""

    def __init__(self, backend_url: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(backend_url)
        self._backend = (parts.hostname or "", parts.port or 80)
        self._context = context
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._server.getsockname()[1]}"
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._start(self._serve)

    def close(self) -> None:
        """Take no more connections, and end those there are."""
        self._closing.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                raw, _ = self._server.accept()
                self._start(self._carry, raw)

    def _carry(self, raw: socket.socket) -> None:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            stack.enter_context(raw)
            client = stack.enter_context(self._context.wrap_socket(raw, server_side=True))
            backend = stack.enter_context(socket.create_connection(self._backend))
            for each in (client, backend):
                each.settimeout(POLL_S)
            answers = threading.Thread(target=self._copy, args=(backend, client))
            answers.start()
            self._copy(client, backend)
            backend.shutdown(socket.SHUT_WR)
            answers.join()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        """Until either side, or the test, has ended."""
        while not self._closing.is_set():
            try:
                data = source.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            with contextlib.suppress(OSError):
                target.sendall(data)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()


@pytest.fixture
def authority() -> Authority:
    """The one that signed the backend's certificate."""
    return Authority("The kitchen's own")


@pytest.fixture
def front(workshop: Workshop, authority: Authority, tmp_path: Path) -> Iterator[SecureFront]:
    """The workshop's backend behind HTTPS."""
    served = SecureFront(workshop.backend_url, authority.context(tmp_path))
    yield served
    served.close()


def test_the_right_authority_lets_the_board_work(
    workshop: Workshop, other_board: Board, front: SecureFront, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text(authority.pem)
    arguments = ("--port", other_board.port, "--ssid", SSID, "--password-stdin", "--board-backend", front.url)
    workshop.dispctl.done("provision", *arguments, "--ca", str(tmp_path / "ca.pem"), stdin=WIFI_PASSWORD)
    workshop.dispctl.done("provision", "--port", other_board.port, "--test")
    settings = workshop.dispctl.json("provision", "--port", other_board.port, "--show")
    assert (settings["backend_url"], settings["ca_pem"], settings["tls_insecure"]) == (front.url, True, False)
    with other_board.monitor() as log:
        workshop.send_job("--item", "Sal=2")
        log.wait_for("Relatório enviado com sucesso")


def test_another_authority_is_refused_before_the_board_is_touched(
    workshop: Workshop, other_board: Board, front: SecureFront, tmp_path: Path
) -> None:
    (tmp_path / "other.pem").write_text(Authority("Somebody else's").pem)
    before = workshop.dispctl.json("provision", "--port", other_board.port, "--show")
    arguments = ("--port", other_board.port, "--ssid", SSID, "--password-stdin", "--board-backend", front.url)
    ended = workshop.dispctl.run(
        "provision", *arguments, "--ca", str(tmp_path / "other.pem"), stdin=WIFI_PASSWORD
    )
    assert ended.returncode == 7
    assert "is not trusted" in ended.stderr
    assert workshop.dispctl.json("provision", "--port", other_board.port, "--show") == before


def test_the_board_itself_refuses_a_certificate_of_another_authority(
    workshop: Workshop, other_board: Board, front: SecureFront
) -> None:
    with httpx.Client(base_url=workshop.backend_url) as client:
        client.post("/auth/login", json={"nome": "oficina", "senha": PASSWORD}).raise_for_status()
        code = client.post("/devices/claims").json()["code"]
    with open_control(other_board.cable) as control:
        access = BackendAccess(front.url, Authority("Somebody else's").pem)
        events = provision(control, WifiCredentials(SSID, WIFI_PASSWORD), access, claim_code=lambda: code)
        with pytest.raises(BackendUnreachableError, match="does not trust the certificate"):
            list(events)
        assert control.request("status")["wifi"]["joined"]


def test_a_root_that_this_system_trusts_is_found_and_is_all_that_is_needed(
    front: SecureFront, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_text(Authority("One of many").pem + authority.pem + Authority("Another").pem)
    with pytest.raises(NotTrustedError):
        root_of(front.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    root = root_of(front.url)
    assert ssl.PEM_cert_to_DER_cert(root) == ssl.PEM_cert_to_DER_cert(authority.pem)
    require_signed_by(front.url, root)


def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(BackendUnreachableError, match="cannot be reached"):
        root_of("https://127.0.0.1:1")
