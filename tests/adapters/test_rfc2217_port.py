"""Our RFC 2217 client against the virtual board's cable, which shares no code with it, and against bad servers."""

from __future__ import annotations

import errno
import socket
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from serial import SerialException, SerialTimeoutException

from dispctl.adapters.rfc2217_port import Rfc2217Port
from dispctl.virtual.rfc2217 import Rfc2217Server
from tests.virtual.cable import loop_thread, stalled

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY_BYTE = bytes(range(256))


class Echo:
    """A cable whose board sends back what it gets; `log` has everything else that reached it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.server = Rfc2217Server(
            on_data=self._send_back,
            on_lines=lambda dtr, rts: self.log.append(f"{'dtr' if dtr else '---'} {'rts' if rts else '---'}"),
            on_baud=lambda baud: self.log.append(str(baud)),
            pacing=False,
        )

    def _send_back(self, data: bytes) -> None:
        self.server.send(data)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with loop_thread() as thread:
        board = thread.call(Echo)
        board.server.board_baud = None
        thread.run(board.server.start())
        yield board
        thread.run(board.server.close())


def opened(board: Echo) -> Rfc2217Port:
    """A client of the cable, with a time-out."""
    port = Rfc2217Port()
    port.port = f"rfc2217://127.0.0.1:{board.server.port}"
    port.timeout = 10
    port.open()
    return port


def test_every_byte_comes_through_both_ways(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        port.write(EVERY_BYTE * 40)
        assert port.read(256 * 40) == EVERY_BYTE * 40


def test_opening_asserts_both_lines_and_never_holds_the_board_in_reset(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        port.rts = False
        port.dtr = False
    assert [line for line in echo.log if "rts" in line or "-" in line] == [
        "dtr ---",
        "dtr rts",
        "dtr ---",
        "--- ---",
    ]


def test_a_changed_time_out_is_nobody_elses_business(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        before = list(echo.log)
        for timeout_s in (1, 2.5, None, 0):
            port.timeout = timeout_s
        assert port.read(1) == b""
        assert echo.log == before


def test_the_speed_is_negotiated_when_it_changes(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        port.baudrate = 921600
        port.baudrate = 921600
        assert echo.log.count("921600") == 1


def test_reading_returns_what_came_when_the_time_is_over(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        port.write(b"abc")
        assert port.read(3) == b"abc"
        port.timeout = 0.05
        started = time.monotonic()
        assert port.read(5) == b""
        assert time.monotonic() - started < 5


def test_purging_drops_what_came_in(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        port.write(b"old")
        assert port.read(1) == b"o"
        while port.in_waiting < 2:
            threading.Event().wait(0.001)
        port.reset_input_buffer()
        port.write(b"new")
        assert port.read(3) == b"new"


def test_a_second_client_is_told_at_once_that_the_port_is_held(echo: Echo) -> None:
    started = time.monotonic()
    with closing(opened(echo)), pytest.raises(SerialException) as raised:
        opened(echo)
    assert raised.value.errno == errno.EBUSY
    assert time.monotonic() - started < 2


def test_the_port_is_free_as_soon_as_it_is_closed(echo: Echo) -> None:
    for _ in range(5):
        opened(echo).close()


def test_a_pulled_cable_ends_reading_and_writing(echo: Echo) -> None:
    with closing(opened(echo)) as port:
        assert port._socket
        port._socket.shutdown(socket.SHUT_RDWR)
        with pytest.raises(SerialException, match="closed the connection"):
            port.read(1)
        with pytest.raises(SerialException, match="lost the connection"):
            port.write(b"x" * 100_000)


def test_a_far_end_that_hesitates_is_told_from_one_that_is_gone(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(opened(echo)) as port:
        monkeypatch.setattr("dispctl.adapters.rfc2217_port.ANSWER_TIMEOUT_S", 0.1)
        with stalled(echo.server), pytest.raises(SerialTimeoutException, match="did not answer COM-PORT"):
            port.reset_input_buffer()
        monkeypatch.setattr("dispctl.adapters.rfc2217_port.ANSWER_TIMEOUT_S", 10)
        port.write(b"there again")
        assert port.read(11) == b"there again"


def test_a_closed_port_says_so(echo: Echo) -> None:
    port = opened(echo)
    port.close()
    port.close()
    with pytest.raises(SerialException, match="not open"):
        port.read(1)
    with pytest.raises(SerialException, match="not open"):
        port.write(b"x")


@pytest.mark.parametrize("address", ["rfc2217://", "rfc2217://host", "socket://127.0.0.1:1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    port = Rfc2217Port()
    port.port = address
    with pytest.raises(ValueError, match="not of the form"):
        port.open()


@contextmanager
def server_that_says(words: bytes) -> Iterator[int]:
    """A TCP server that says `words` to its one client and listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.sendall(words)
                while client.recv(4096):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def test_a_server_that_refuses_rfc2217_is_named() -> None:
    with server_that_says(b"\xff\xfe\x2c") as number:
        port = Rfc2217Port()
        port.port = f"rfc2217://127.0.0.1:{number}"
        with pytest.raises(SerialException, match="does not speak RFC 2217"):
            port.open()


def test_a_server_that_speaks_something_else_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispctl.adapters.rfc2217_port.ANSWER_TIMEOUT_S", 0.2)
    with server_that_says(b"HTTP/1.1 400 Bad Request\r\n\r\n") as number:
        port = Rfc2217Port()
        port.port = f"rfc2217://127.0.0.1:{number}"
        with pytest.raises(SerialException, match="did not answer the offer of RFC 2217"):
            port.open()
