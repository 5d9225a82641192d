"""RFC 2217, the server's side: every request is answered at once with what holds."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual.com_port import (
    BINARY,
    COM_PORT_OPTION,
    DEFAULT_BAUD,
    SUPPRESS_GO_AHEAD,
    BaudSet,
    BreakSet,
    ComPort,
    Event,
    LinesSet,
    Purged,
    Received,
    Suspended,
)
from dispctl.virtual.telnet import Negotiation, Subnegotiation, TelnetReader, Verb, negotiate, subnegotiate

ECHO = 1


def opened() -> ComPort:
    """A port whose opening offers have been sent, and the modem state, to a client that knows the option."""
    port = ComPort()
    port.receive(negotiate(Verb.DO, COM_PORT_OPTION))
    port.take_answers()
    return port


def ask(port: ComPort, code: int, value: bytes) -> tuple[list[Event], list[tuple[int, bytes]]]:
    """The events of a request, and its answers as (code, value)."""
    events = port.receive(subnegotiate(COM_PORT_OPTION, bytes([code]) + value))
    answers = TelnetReader().feed(port.take_answers())
    payloads = [token.payload for token in answers if isinstance(token, Subnegotiation)]
    return events, [(payload[0], payload[1:]) for payload in payloads]


def negotiated(port: ComPort, data: bytes) -> list[Negotiation]:
    """What the port says to `data`, negotiations only."""
    port.receive(data)
    return [token for token in TelnetReader().feed(port.take_answers()) if isinstance(token, Negotiation)]


def test_it_offers_what_it_can_when_a_client_comes() -> None:
    offers = TelnetReader().feed(ComPort().take_answers())
    assert Negotiation(Verb.WILL, COM_PORT_OPTION) in offers
    assert Negotiation(Verb.DO, COM_PORT_OPTION) in offers
    assert Negotiation(Verb.DO, BINARY) in offers


def test_an_agreement_to_an_offer_is_not_answered() -> None:
    assert negotiated(opened(), negotiate(Verb.DO, COM_PORT_OPTION) + negotiate(Verb.WILL, BINARY)) == []


def test_what_it_did_not_ask_for_but_can_is_agreed_to_once() -> None:
    port = opened()
    wish = negotiate(Verb.WILL, SUPPRESS_GO_AHEAD)
    assert negotiated(port, wish) == [Negotiation(Verb.DO, SUPPRESS_GO_AHEAD)]
    assert negotiated(port, wish) == []


def test_other_options_are_refused() -> None:
    wishes = negotiate(Verb.DO, ECHO) + negotiate(Verb.WILL, ECHO)
    assert negotiated(opened(), wishes) == [Negotiation(Verb.WONT, ECHO), Negotiation(Verb.DONT, ECHO)]


def test_an_option_that_is_taken_back_is_given_up() -> None:
    port = opened()
    assert negotiated(port, negotiate(Verb.DONT, BINARY)) == [Negotiation(Verb.WONT, BINARY)]
    assert negotiated(port, negotiate(Verb.DONT, BINARY)) == []


@pytest.mark.parametrize(
    "sign", [negotiate(Verb.DO, COM_PORT_OPTION), subnegotiate(COM_PORT_OPTION, b"\x01\0\0\0\0")]
)
def test_the_modem_state_is_told_once_to_a_client_that_knows_the_option(sign: bytes) -> None:
    port = ComPort()
    port.receive(sign)
    port.receive(negotiate(Verb.WILL, COM_PORT_OPTION))
    tokens = TelnetReader().feed(port.take_answers())
    assert tokens.count(Subnegotiation(COM_PORT_OPTION, bytes([107, 0xB0]))) == 1


def test_the_speed_is_set_and_asked_for() -> None:
    port = opened()
    fast = struct.pack(">I", 460800)
    assert ask(port, 1, fast) == ([BaudSet(460800)], [(101, fast)])
    assert ask(port, 1, bytes(4)) == ([], [(101, fast)])
    assert ask(port, 1, fast) == ([], [(101, fast)])


def test_an_impossible_speed_is_answered_with_the_one_that_holds() -> None:
    assert ask(opened(), 1, b"\xff\xff\xff\xff") == ([], [(101, struct.pack(">I", DEFAULT_BAUD))])


@pytest.mark.parametrize(("code", "default", "other"), [(2, 8, 7), (3, 1, 2), (4, 1, 2)])
def test_the_format_is_set_and_asked_for(code: int, default: int, other: int) -> None:
    port = opened()
    assert ask(port, code, b"\0") == ([], [(code + 100, bytes([default]))])
    assert ask(port, code, bytes([other])) == ([], [(code + 100, bytes([other]))])
    assert ask(port, code, b"\0") == ([], [(code + 100, bytes([other]))])


@pytest.mark.parametrize("code", [10, 11])
def test_masks_are_echoed(code: int) -> None:
    assert ask(opened(), code, b"\0") == ([], [(code + 100, b"\0")])


def test_dtr_and_rts_are_set_and_asked_for() -> None:
    port = opened()
    assert ask(port, 5, b"\x08") == ([LinesSet(dtr=True, rts=False)], [(105, b"\x08")])
    assert ask(port, 5, b"\x0b") == ([LinesSet(dtr=True, rts=True)], [(105, b"\x0b")])
    assert ask(port, 5, b"\x09") == ([LinesSet(dtr=False, rts=True)], [(105, b"\x09")])
    assert ask(port, 5, b"\x07") == ([], [(105, b"\x09")])
    assert ask(port, 5, b"\x0a") == ([], [(105, b"\x0b")])


def test_a_break_begins_and_ends() -> None:
    port = opened()
    assert ask(port, 5, b"\x05") == ([BreakSet(on=True)], [(105, b"\x05")])
    assert ask(port, 5, b"\x04") == ([], [(105, b"\x05")])
    assert ask(port, 5, b"\x06") == ([BreakSet(on=False)], [(105, b"\x06")])


def test_flow_control_is_remembered() -> None:
    port = opened()
    assert ask(port, 5, b"\x03") == ([], [(105, b"\x03")])
    assert ask(port, 5, b"\x00") == ([], [(105, b"\x03")])
    assert ask(port, 5, b"\x0d") == ([], [(105, b"\x0e")])


@pytest.mark.parametrize(
    ("which", "inbound", "outbound"), [(1, True, False), (2, False, True), (3, True, True)]
)
def test_buffers_are_purged(which: int, inbound: bool, outbound: bool) -> None:
    assert ask(opened(), 12, bytes([which])) == ([Purged(inbound, outbound)], [(112, bytes([which]))])


def test_the_client_may_suspend_the_data() -> None:
    port = opened()
    assert ask(port, 8, b"") == ([Suspended(on=True)], [])
    assert ask(port, 9, b"") == ([Suspended(on=False)], [])


def test_line_and_modem_state_and_signature_are_told() -> None:
    port = opened()
    assert ask(port, 6, b"") == ([], [(106, b"\x60")])
    assert ask(port, 7, b"") == ([], [(107, b"\xb0")])
    assert ask(port, 0, b"") == ([], [(100, b"dispctl virtual board")])


def test_what_is_no_request_is_ignored() -> None:
    port = opened()
    for payload in (
        subnegotiate(24, b"\0"),
        subnegotiate(COM_PORT_OPTION, b""),
        subnegotiate(COM_PORT_OPTION, b"\x63"),
    ):
        assert port.receive(payload) == []
    assert port.take_answers() == b""


def test_data_and_requests_keep_their_order() -> None:
    port = opened()
    events = port.receive(b"a" + subnegotiate(COM_PORT_OPTION, b"\x01\x00\x00\x25\x80") + b"b\xff\xff")
    assert events == [Received(b"a"), BaudSet(9600), Received(b"b\xff")]


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=6)), max_size=10), st.binary(max_size=40))
def test_any_requests_are_survived(requests: list[tuple[int, bytes]], noise: bytes) -> None:
    port = ComPort()
    for code, value in requests:
        port.receive(subnegotiate(COM_PORT_OPTION, bytes([code]) + value))
    port.receive(noise)
    TelnetReader().feed(port.take_answers())
