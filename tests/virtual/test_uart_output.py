"""Carriage returns and marked bytes, across any split of the output."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual.uart_output import OutputCooker


def marked(data: bytes) -> bytes:
    """As the stand-in for ``sys.stdout.buffer`` writes it."""
    return data.replace(b"\xff", b"\xff\xff").replace(b"\n", b"\xff\n")


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=20))), st.data())
def test_print_gets_carriage_returns_and_raw_bytes_stay(
    pieces: list[tuple[bool, bytes]], data: st.DataObject
) -> None:
    written, expected = b"", b""
    for is_raw, piece in pieces:
        text = piece.replace(b"\xff", b"")  # no UTF-8 text holds it
        written += marked(piece) if is_raw else text
        expected += piece if is_raw else text.replace(b"\n", b"\r\n")
    cooker = OutputCooker()
    received = b""
    while written:
        size = data.draw(st.integers(min_value=1, max_value=len(written)))
        received += cooker.cook(written[:size])
        written = written[size:]
    assert received == expected
