"""Releases from a site on loopback that delivers, and from one that does not."""

from __future__ import annotations

import functools
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from dispctl.adapters.micropython_releases import TESTED_VERSION, Releases, is_version
from dispctl.errors import (
    BackendRefusedError,
    BackendUnreachableError,
    DamagedError,
    DispctlError,
    UsageError,
)
from dispctl.virtual import esp_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "v1.28.0"
IMAGE_PATH = f"/resources/firmware/ESP32_GENERIC-20260401-{VERSION}.bin"
PAGE = f'<a href="{IMAGE_PATH}">x</a><a href="/resources/firmware/ESP32_GENERIC-20250415-v1.25.0.bin">y</a>'.encode()


@functools.cache
def image() -> bytes:
    return esp_image.build_image()


class Site:
    """micropython.org on loopback: path to (status, body, the length that it claims)."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes, int | None]] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                status, body, length = site.answers.get(self.path, (404, b"none", None))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Tests are silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, path: str, body: bytes, *, status: int = 200, length: int | None = None) -> None:
        self.answers[path] = (status, body, length)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.serve("/download/ESP32_GENERIC/", PAGE)
    site.serve(IMAGE_PATH, image())
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture
def releases(site: Site, tmp_path: Path) -> Releases:
    return Releases(tmp_path / "cache", site.url)


def fetch(releases: Releases, version: str = VERSION, *, offline: bool = False) -> Path:
    return releases.image(version, offline=offline, on_progress=lambda _part: None)


def test_a_version_is_fetched_once_and_then_used_without_the_site(
    site: Site, releases: Releases, tmp_path: Path
) -> None:
    parts: list[float] = []
    path = releases.image("1.28.0", offline=False, on_progress=parts.append)
    assert path.read_bytes() == image()
    assert parts == sorted(parts)
    assert parts[-1] == 1
    asked = len(site.asked)
    assert fetch(releases) == path
    assert fetch(Releases(tmp_path / "cache", "http://127.0.0.1:9"), offline=True) == path
    assert len(site.asked) == asked


def test_the_tested_version_needs_no_page(site: Site, releases: Releases) -> None:
    with pytest.raises(UsageError):
        fetch(releases, TESTED_VERSION)
    assert [path.endswith(f"-{TESTED_VERSION}.bin") for path in site.asked] == [True]


def test_a_kept_image_that_was_changed_is_fetched_again(site: Site, releases: Releases) -> None:
    path = fetch(releases)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(DamagedError, match="is not as it was when it was fetched"):
        fetch(releases, offline=True)
    assert fetch(releases).read_bytes() == image()


def test_offline_says_what_there_is(releases: Releases) -> None:
    fetch(releases)
    with pytest.raises(UsageError, match=r"v1\.25\.0 is not on this machine") as raised:
        fetch(releases, "1.25.0", offline=True)
    assert "There are: v1.28.0." in (raised.value.hint or "")


def wrong_chip() -> bytes:
    data = bytearray(image())
    data[12] = 9
    return bytes(data)


def wrong_digest() -> bytes:
    data = bytearray(image())
    data[-1] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"<!DOCTYPE html><html>Log in</html>", DamagedError, "is a web page, not an image"),
        (b"hello", DamagedError, "is not an ESP32 image"),
        (b"", DamagedError, "is not an ESP32 image"),
        (image()[:-100], DamagedError, "cut short"),
        (wrong_digest(), DamagedError, "does not match its own SHA-256"),
        (wrong_chip(), UsageError, "is an image for ESP32-S3, not for ESP32"),
    ],
    ids=["web page", "text", "nothing", "cut short", "digest", "chip"],
)
def test_what_is_no_whole_image_is_not_kept(
    site: Site, releases: Releases, tmp_path: Path, *, body: bytes, kind: type[DispctlError], words: str
) -> None:
    site.serve(IMAGE_PATH, body)
    with pytest.raises(kind, match=words):
        fetch(releases)
    assert not list((tmp_path / "cache").glob("*"))


def test_another_version_than_asked_for_is_not_kept(site: Site, releases: Releases) -> None:
    site.serve("/resources/firmware/ESP32_GENERIC-20250415-v1.25.0.bin", image())
    with pytest.raises(DamagedError, match=r"says that it is MicroPython v1\.28\.0"):
        fetch(releases, "v1.25.0")


def test_a_transfer_that_breaks_off_is_said_so(site: Site, releases: Releases) -> None:
    site.serve(IMAGE_PATH, image()[:5000], length=len(image()))
    with pytest.raises(DamagedError, match="broke off after 5000 bytes"):
        fetch(releases)


def test_a_site_that_does_not_deliver(site: Site, releases: Releases, tmp_path: Path) -> None:
    site.serve(IMAGE_PATH, b"", status=503)
    with pytest.raises(BackendRefusedError, match="HTTP 503"):
        fetch(releases)
    with pytest.raises(UsageError, match=r"lists no MicroPython v1\.7") as raised:
        fetch(releases, "1.7")
    assert "It lists v1.28.0, v1.25.0." in (raised.value.hint or "")
    with pytest.raises(BackendUnreachableError, match="cannot be reached"):
        fetch(Releases(tmp_path, "http://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("v1.26.1", True), ("1.26", True), ("mp.bin", False), ("1", False), ("v1.26.1.bin", False)],
)
def test_a_version_is_told_from_a_file(text: str, expected: bool) -> None:
    assert is_version(text) is expected
