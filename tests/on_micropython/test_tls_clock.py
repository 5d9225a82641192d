"""What mbedTLS makes of the board's clock: on the ESP32 it starts in the year 2000, when no certificate was valid yet.

The interpreter's own clock cannot be set, so a library in front of libc's answers for it.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.on_micropython.test_interpreter import BIN, BOARD, ROOT
from tests.on_micropython.test_sockets import Authority, make_authority, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPILER = shutil.which("cc")

pytestmark = [
    pytest.mark.micropython,
    pytest.mark.skipif(
        COMPILER is None or not sys.platform.startswith("linux"), reason="needs a C compiler and LD_PRELOAD"
    ),
]

YEAR_2000 = 946_684_800
DAY_S = 86_400


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`fake_clock.c` as a library."""
    target = tmp_path_factory.mktemp("clock") / "fake_clock.so"
    source = Path(__file__).parent / "fake_clock.c"
    subprocess.run([COMPILER or "", "-shared", "-fPIC", "-o", target, source], check=True)
    return target


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Its certificates began yesterday and end in a month."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def port(authority: Authority) -> Iterator[int]:
    """Where the server with the right certificate listens."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    yield from serve(context)


def heartbeats(library: Path, port: int, ca: Path, clock: Path, kept: str = "") -> list[dict[str, Any]]:
    """What three heartbeats come to on a board whose clock is in the file `clock`, which is left as it ends."""
    script, url = str(BOARD / "tls_clock.py"), f"https://localhost:{port}"
    arguments = [script, str(ROOT), url, str(ca), str(clock), kept]
    done = subprocess.run(
        [str(BIN / "micropython"), *arguments],
        env={**os.environ, "LD_PRELOAD": str(library), "FAKE_CLOCK": str(clock)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_board_in_the_year_2000_asks_for_the_time_and_then_trusts(
    library: Path, authority: Authority, port: int, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    clock.write_text(str(YEAR_2000))
    first, second, third = heartbeats(library, port, authority.ca, clock)
    assert (first["status"], first["known"]) == (0, False)
    assert "validity" in first["error"], first
    assert (second["status"], second["known"]) == (200, True)
    assert third["status"] == 200
    assert abs(int(clock.read_text()) - time.time()) < DAY_S


def test_a_board_with_the_right_time_is_asked_nothing(
    library: Path, authority: Authority, port: int, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    clock.write_text(str(int(time.time())))
    assert [told["status"] for told in heartbeats(library, port, authority.ca, clock)] == [200] * 3


def test_the_time_makes_nobody_trusted(
    library: Path, authority: Authority, port: int, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = make_authority(tmp_path / "other")
    clock = tmp_path / "clock"
    for shown in (YEAR_2000, int(time.time())):
        clock.write_text(str(shown))
        told = heartbeats(library, port, other.ca, clock)
        assert [(each["status"], each["known"]) for each in told] == [(0, False)] * 3, told


def test_an_ended_certificate_stays_ended(
    library: Path, authority: Authority, port: int, tmp_path: Path
) -> None:
    """The server's date is before the time that the board has kept, and the board does not go back to it."""
    clock = tmp_path / "clock"
    clock.write_text(str(YEAR_2000))
    kept = int(time.time()) + 60 * DAY_S
    told = heartbeats(library, port, authority.ca, clock, kept=str(kept))
    assert [each["status"] for each in told] == [0] * 3
    assert all("validity" in each["error"] for each in told), told
    assert int(clock.read_text()) >= kept
