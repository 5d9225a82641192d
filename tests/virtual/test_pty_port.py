"""The pseudo-terminal as serial port: its speed, who hears what, and what a pulled cable does to who has it open."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import pytest
import serial

from dispctl.virtual import pty_port
from dispctl.virtual.pty_port import PtyPort, PtyUnavailableError
from tests.virtual.cable import LoopThread, loop_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="reads a pseudo-terminal's speed as Linux tells it"
)

DEADLINE_S = 20


class Rig:
    """A port in a loop of its own, and what has arrived at the board's end."""

    def __init__(self, thread: LoopThread, link: Path, *, pacing: bool) -> None:
        self.thread = thread
        self.arrived = b""
        self.port: PtyPort = thread.call(lambda: PtyPort(link, on_data=self._receive, pacing=pacing))
        self.plug_in()

    def _receive(self, data: bytes) -> None:
        self.arrived += data

    def plug_in(self) -> None:
        self.thread.call(self.port.open)

    def unplug(self) -> None:
        self.thread.call(self.port.close)

    def send(self, data: bytes) -> None:
        self.thread.call(self.port.send, data)

    def open(self, baud: int = 115200) -> serial.Serial:
        """The port as a client has it, once the board's end has noticed."""
        client = serial.Serial(str(self.port.link), baud, timeout=DEADLINE_S)
        until(lambda: self.thread.call(lambda: self.port._connected), "nobody noticed the client")
        return client


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what


@contextmanager
def rig_at(link: Path, *, pacing: bool = False) -> Iterator[Rig]:
    with ExitStack() as stack:
        made = Rig(stack.enter_context(loop_thread()), link, pacing=pacing)
        stack.callback(made.unplug)
        yield made


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with rig_at(tmp_path / "not" / "yet" / "board.tty") as made:
        yield made


def test_every_byte_passes_unchanged_both_ways(rig: Rig) -> None:
    data = bytes(range(256)) * 200  # more than a terminal's buffers hold
    with closing(rig.open()) as client:
        rig.send(data)
        assert client.read(len(data)) == data
        client.write(data[:2000])
        until(lambda: rig.arrived == data[:2000], f"{len(rig.arrived)} bytes arrived")


def test_one_client_after_another_hears_only_what_is_sent_to_it(rig: Rig) -> None:
    for word in (b"first", b"second"):
        with closing(rig.open()) as client:
            rig.send(word)
            assert client.read(len(word)) == word
        until(lambda: not rig.thread.call(lambda: rig.port._connected), "nobody noticed the end")
        rig.send(b"lost")


def test_what_is_written_last_arrives_though_the_client_is_gone(rig: Rig) -> None:
    with rig.port.link.open("wb", buffering=0) as file:
        file.write(b"echo > board.tty")
    until(lambda: rig.arrived == b"echo > board.tty", f"arrived: {rig.arrived!r}")


@pytest.mark.parametrize("baud", [9600, 115200, 74880, 460800, 921600])
def test_the_speed_is_the_clients(rig: Rig, baud: int) -> None:
    with closing(rig.open(baud)):
        assert rig.thread.call(lambda: rig.port.line_baud) == baud


def test_another_speed_than_the_boards_makes_garbage(rig: Rig) -> None:
    with closing(rig.open(9600)) as client:
        client.write(b"U")
        rig.send(b"some text")
        assert client.read(1) != b"s"
        until(lambda: rig.arrived != b"", "nothing arrived")
        assert rig.arrived != b"U"


def test_pacing_holds_the_bytes_back(tmp_path: Path) -> None:
    data = bytes(1200)
    with rig_at(tmp_path / "tty", pacing=True) as rig, closing(rig.open()) as client:
        began = time.monotonic()
        rig.send(data)
        assert client.read(len(data)) == data
        assert time.monotonic() - began >= 0.9 * len(data) * 10 / 115200


def test_a_pulled_cable_fails_its_user_and_takes_the_path_away(rig: Rig) -> None:
    with closing(rig.open()) as client:
        rig.unplug()
        assert not os.path.lexists(rig.port.link)
        with pytest.raises((serial.SerialException, OSError)):
            client.read(1)
    rig.plug_in()
    with closing(rig.open()) as client:
        rig.send(b"again")
        assert client.read(5) == b"again"


def test_a_client_that_reads_nothing_loses_the_rest(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pty_port, "MAX_UNSENT_BYTES", 1000)
    with closing(rig.open()) as client:
        for _ in range(200):
            rig.send(bytes(1000))
        client.timeout = 0.2
        assert 0 < len(client.read(200_000)) < 200_000


def test_a_link_left_behind_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "tty").symlink_to("/nowhere")
    with rig_at(tmp_path / "tty") as rig, closing(rig.open()):
        assert rig.port.link.resolve().exists()


def test_other_systems_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(PtyUnavailableError, match="Linux only"):
        PtyPort(tmp_path / "tty", on_data=lambda _data: None)
