"""The sockets that the backend listens at; `tests.cli.test_backend` has the running server."""

import socket

import pytest

from dispctl.backend.serve import listen, url_of


def has_ipv6() -> bool:
    try:
        listen("::1", 0).close()
    except OSError:
        return False
    return True


def test_port_zero_is_any_free_port() -> None:
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as other:
        assert url_of(one) == f"http://127.0.0.1:{one.getsockname()[1]}"
        assert url_of(one) != url_of(other)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_ipv6_address_stands_in_brackets() -> None:
    with listen("::1", 0) as listener:
        assert url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"


def test_what_is_accepted_is_known_to_be_tcp_so_that_answers_go_out_whole_at_once() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP


def test_a_busy_port_and_an_unknown_host_are_os_errors() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", listener.getsockname()[1])
    with pytest.raises(socket.gaierror):
        listen("no such host", 0)
