"""The cable over real sockets, with pyserial's own client and with bare bytes."""

from __future__ import annotations

import socket
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
import serial

from dispctl.virtual.com_port import COM_PORT_OPTION
from dispctl.virtual.rfc2217 import MAX_UNSENT_BYTES, Rfc2217Server, _Client
from dispctl.virtual.telnet import subnegotiate
from tests.virtual.cable import loop_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.virtual.cable import LoopThread

# pyserial starts its reader thread with calls that Python has deprecated
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")

DEADLINE_S = 20


class Echo:
    """A server whose board sends back what it gets; `log` tells of everything else."""

    def __init__(self, thread: LoopThread, *, pacing: bool = False) -> None:
        self.thread = thread
        self.received = bytearray()
        self.log: list[str] = []
        self.server = Rfc2217Server(
            on_data=self._echo,
            on_lines=lambda dtr, rts: self.log.append(f"dtr={dtr:d} rts={rts:d}"),
            on_baud=lambda baud: self.log.append(f"baud={baud}"),
            on_connect=lambda: self.log.append("connected"),
            on_disconnect=lambda: self.log.append("disconnected"),
            pacing=pacing,
        )
        self.port = thread.run(self.server.start())

    @property
    def url(self) -> str:
        return f"rfc2217://127.0.0.1:{self.port}"

    def set_board_baud(self, baud: int | None) -> None:
        self.thread.call(setattr, self.server, "board_baud", baud)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return once `condition` holds; fails with the log after a while."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"seen: {self.log}, received {bytes(self.received)!r}"
            time.sleep(0.005)

    def _echo(self, data: bytes) -> None:
        self.received += data
        self.server.send(data)


@contextmanager
def served(*, pacing: bool = False) -> Iterator[Echo]:
    with loop_thread() as thread:
        echo = Echo(thread, pacing=pacing)
        try:
            yield echo
        finally:
            thread.run(echo.server.close())


@pytest.fixture
def echo() -> Iterator[Echo]:
    with served() as running:
        yield running


def opened(echo: Echo, baud: int = 115200) -> serial.SerialBase:
    return serial.serial_for_url(echo.url, baudrate=baud, timeout=DEADLINE_S)


def test_pyserial_sends_and_receives_every_byte_value(echo: Echo) -> None:
    data = bytes(range(256)) * 8
    with closing(opened(echo)) as port:
        port.write(data)
        assert port.read(len(data)) == data


def test_pyserials_opening_and_end_are_seen_line_by_line(echo: Echo) -> None:
    with closing(opened(echo, 9600)) as port:
        assert (port.cts, port.dsr, port.cd) == (True, True, True)
    echo.wait_for(lambda: "disconnected" in echo.log)
    assert echo.log == [
        "connected", "baud=9600", "dtr=1 rts=0", "dtr=1 rts=1",
        "dtr=1 rts=0", "dtr=0 rts=0", "disconnected",
    ]  # fmt: skip


def test_a_line_left_alone_is_not_touched_at_the_end(echo: Echo) -> None:
    with closing(socket.create_connection(("127.0.0.1", echo.port))):
        echo.wait_for(lambda: "connected" in echo.log)
    echo.wait_for(lambda: "disconnected" in echo.log)
    assert echo.log == ["connected", "disconnected"]


def test_settings_are_accepted(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        port.baudrate = 460800
        port.parity = serial.PARITY_EVEN
        port.stopbits = 2
        port.send_break(0.01)
        port.reset_input_buffer()
        assert echo.server.line_baud == 460800


def hung_up(client: socket.socket) -> bool:
    """Whether the other side ends the connection before it says anything."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_second_client_is_refused_while_the_first_stays(echo: Echo) -> None:
    with closing(opened(echo)) as first:
        with closing(socket.create_connection(("127.0.0.1", echo.port), timeout=DEADLINE_S)) as second:
            assert hung_up(second)
        first.write(b"still here")
        assert first.read(10) == b"still here"


def test_a_client_that_comes_before_the_end_of_the_one_before_is_taken(echo: Echo) -> None:
    first = socket.create_connection(("127.0.0.1", echo.port))
    echo.wait_for(lambda: echo.server.connected)
    second = socket.create_connection(("127.0.0.1", echo.port), timeout=DEADLINE_S)
    second.sendall(b"hello")
    first.close()
    with closing(second):
        echo.wait_for(lambda: bytes(echo.received) == b"hello")


def test_a_client_that_waits_while_the_cable_is_unplugged_is_refused(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = []
    attach = echo.server._attach

    def count(client: _Client) -> bool:
        came.append(client)
        return attach(client)

    monkeypatch.setattr(echo.server, "_attach", count)
    with (
        closing(socket.create_connection(("127.0.0.1", echo.port))),
        closing(socket.create_connection(("127.0.0.1", echo.port), timeout=DEADLINE_S)) as waiting,
    ):
        echo.wait_for(lambda: len(came) == 2)
        echo.thread.run(echo.server.close())
        assert hung_up(waiting)
    assert echo.log.count("connected") == 1


def read_to_the_end(port: serial.SerialBase) -> None:
    """Read until pyserial raises: it tells the end of the connection by an empty read first."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        port.read(1)


def test_unplugging_ends_the_connection_and_plugging_in_again_takes_a_new_one(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        echo.thread.run(echo.server.close())
        with pytest.raises(serial.SerialException):
            read_to_the_end(port)
        with pytest.raises(serial.SerialException):
            opened(echo)
    echo.thread.run(echo.server.start(port=echo.port))
    with closing(opened(echo)) as port:
        port.write(b"again")
        assert port.read(5) == b"again"


def test_a_board_at_another_speed_is_garbage_both_ways(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        echo.set_board_baud(460800)
        port.write(b"hello")
        echo.wait_for(lambda: len(echo.received) > 0)
        assert b"hello" not in echo.received
        echo.set_board_baud(115200)
        port.reset_input_buffer()
        port.write(b"hello")
        assert port.read(5) == b"hello"


def test_a_board_that_follows_the_line_is_understood_at_any_speed(echo: Echo) -> None:
    echo.set_board_baud(None)
    with closing(opened(echo)) as port:
        for baud in (57600, 921600):
            port.baudrate = baud
            port.write(b"hello")
            assert port.read(5) == b"hello"


def test_pacing_holds_the_bytes_back_both_ways() -> None:
    with served(pacing=True) as echo, closing(opened(echo, 9600)) as port:
        echo.set_board_baud(9600)
        began = time.monotonic()
        port.write(bytes(480))
        assert port.read(480) == bytes(480)
        took = time.monotonic() - began
    # The echo comes back while the rest is still on its way, so both ways together take the time of one; a machine
    # can be slower than that, never faster.
    assert took >= 480 * 10 / 9600 * 0.99


def test_a_suspended_client_gets_nothing_until_it_resumes(echo: Echo) -> None:
    with closing(socket.create_connection(("127.0.0.1", echo.port), timeout=DEADLINE_S)) as client:
        client.sendall(
            subnegotiate(COM_PORT_OPTION, b"\x08") + b"held back" + subnegotiate(COM_PORT_OPTION, b"\x06")
        )
        answer = subnegotiate(COM_PORT_OPTION, b"\x6a\x60")
        seen = b""
        while answer not in seen:
            seen += client.recv(1000)
        assert b"held back" not in seen
        client.sendall(subnegotiate(COM_PORT_OPTION, b"\x09"))
        seen = b""
        while b"held back" not in seen:
            seen += client.recv(1000)


def test_a_client_that_reads_nothing_does_not_fill_the_memory(echo: Echo) -> None:
    with closing(socket.create_connection(("127.0.0.1", echo.port))):
        echo.wait_for(lambda: echo.server.connected)
        for _ in range(64):
            echo.thread.call(echo.server.send, bytes(MAX_UNSENT_BYTES // 8))
        assert echo.server._client is not None
        waiting = echo.thread.call(echo.server._client.transport.get_write_buffer_size)
    assert waiting <= 2 * MAX_UNSENT_BYTES


def test_the_port_is_not_known_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        _ = Rfc2217Server(on_data=print, on_lines=print).port
