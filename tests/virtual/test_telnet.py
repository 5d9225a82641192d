"""Telnet framing: data, negotiations and subnegotiations come back from any pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual.telnet import (
    MAX_SUBNEGOTIATION,
    Data,
    Negotiation,
    Subnegotiation,
    TelnetReader,
    Token,
    Verb,
    escape,
    negotiate,
    subnegotiate,
)

TOKENS = st.one_of(
    st.builds(Data, st.binary(min_size=1, max_size=20)),
    st.builds(Negotiation, st.sampled_from(Verb), st.integers(0, 255)),
    st.builds(Subnegotiation, st.integers(0, 254), st.binary(max_size=20)),
)


def encode(token: Token) -> bytes:
    if isinstance(token, Data):
        return escape(token.data)
    if isinstance(token, Negotiation):
        return negotiate(token.verb, token.option)
    return subnegotiate(token.option, token.payload)


def merged(tokens: list[Token]) -> list[Token]:
    """`tokens` with adjacent data put together."""
    out: list[Token] = []
    for token in tokens:
        if isinstance(token, Data) and out and isinstance(out[-1], Data):
            out[-1] = Data(out[-1].data + token.data)
        else:
            out.append(token)
    return out


@given(tokens=st.lists(TOKENS, max_size=8), cut=st.integers(1, 12))
def test_everything_comes_back_from_pieces_of_any_size(tokens: list[Token], cut: int) -> None:
    stream = b"".join(map(encode, tokens))
    reader = TelnetReader()
    seen = [
        token for start in range(0, len(stream), cut) for token in reader.feed(stream[start : start + cut])
    ]
    assert merged(seen) == merged(tokens)


def test_other_commands_are_dropped() -> None:
    assert TelnetReader().feed(b"a\xff\xf1b") == [Data(b"ab")]


def test_a_subnegotiation_without_an_end_is_bounded() -> None:
    reader = TelnetReader()
    assert reader.feed(b"\xff\xfa\x2c" + b"x" * 10_000) == []
    (token,) = reader.feed(b"\xff\xf0")
    assert token == Subnegotiation(44, b"x" * (MAX_SUBNEGOTIATION - 1))


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    reader = TelnetReader()
    for piece in pieces:
        reader.feed(piece)
