"""The client's Telnet: negotiation that ends, and data that survives being split anywhere."""

from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters.telnet import (
    ANSWER,
    BINARY,
    COM_PORT,
    DO,
    DONT,
    ECHO,
    IAC,
    SB,
    SE,
    WILL,
    WONT,
    TelnetClient,
    com_port_command,
    escape,
)

TERMINAL_TYPE = 24


def said(*commands: tuple[int, int]) -> bytes:
    """Negotiation commands as they are in the stream."""
    return b"".join(bytes((IAC, *command)) for command in commands)


def test_it_offers_com_port_first() -> None:
    assert TelnetClient.opening.startswith(said((WILL, COM_PORT)))


def test_answers_to_its_own_offers_get_no_reply() -> None:
    client = TelnetClient()
    received = client.receive(said((DO, COM_PORT), (DO, BINARY), (WILL, BINARY)))
    assert client.accepted
    assert received.replies == b""


def test_a_refusal_is_known() -> None:
    client = TelnetClient()
    assert client.accepted is None
    client.receive(said((DONT, COM_PORT)))
    assert client.accepted is False


def test_what_it_does_not_support_is_declined_and_repeats_are_not_answered_for_ever() -> None:
    client = TelnetClient()
    assert client.receive(said((DO, TERMINAL_TYPE))).replies == said((WONT, TERMINAL_TYPE))
    assert client.receive(said((WILL, TERMINAL_TYPE))).replies == said((DONT, TERMINAL_TYPE))
    assert client.receive(said((DONT, TERMINAL_TYPE), (WONT, TERMINAL_TYPE))).replies == b""


def test_an_unasked_offer_is_taken_once() -> None:
    client = TelnetClient()
    assert client.receive(said((WILL, ECHO))).replies == said((DO, ECHO))
    assert client.receive(said((WILL, ECHO))).replies == b""
    assert client.receive(said((WONT, ECHO))).replies == said((DONT, ECHO))


@given(st.lists(st.tuples(st.sampled_from([WILL, WONT, DO, DONT]), st.integers(0, 254)), max_size=40))
def test_two_that_follow_the_rules_do_not_talk_for_ever(commands: list[tuple[int, int]]) -> None:
    one, other = TelnetClient(), TelnetClient()
    spoken = said(*commands)
    for _ in range(6):
        spoken = bytes(other.receive(bytes(one.receive(spoken).replies)).replies)
    assert spoken == b""


@given(
    pieces=st.lists(
        st.one_of(st.binary(max_size=40), st.tuples(st.integers(0, 20), st.binary(max_size=6))), max_size=8
    ),
    cuts=st.lists(st.integers(1, 5), max_size=60),
)
def test_data_and_answers_come_through_however_the_stream_is_cut(
    pieces: list[bytes | tuple[int, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(
        escape(piece) if isinstance(piece, bytes) else com_port_command(piece[0] + ANSWER, piece[1])
        for piece in pieces
    )
    client = TelnetClient()
    data, answers = bytearray(), []
    for cut in [*cuts, len(stream) or 1]:
        received = client.receive(stream[:cut])
        stream = stream[cut:]
        data += received.data
        answers += received.answers
    received = client.receive(stream)
    assert bytes(data + received.data) == b"".join(piece for piece in pieces if isinstance(piece, bytes))
    assert answers + received.answers == [
        (piece[0] + ANSWER, piece[1]) for piece in pieces if not isinstance(piece, bytes)
    ]


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_no_stream_of_any_bytes_breaks_it(chunks: list[bytes]) -> None:
    client = TelnetClient()
    for chunk in chunks:
        client.receive(chunk)


def test_a_subnegotiation_without_an_end_does_not_swallow_the_line_for_ever() -> None:
    client = TelnetClient()
    client.receive(bytes((IAC, SB, COM_PORT)) + b"x" * 400)
    assert bytes(client.receive(b"boot\n").data).endswith(b"boot\n")


def test_subnegotiations_of_other_options_are_ignored() -> None:
    received = TelnetClient().receive(b"a" + bytes((IAC, SB, TERMINAL_TYPE, 1, IAC, SE)) + b"b")
    assert (bytes(received.data), received.answers) == (b"ab", [])
