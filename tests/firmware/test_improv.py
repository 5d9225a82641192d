"""Improv Serial's frames: the public specification's layout as vectors, both ways, and any data round and round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.firmware import improv
from dispctl.firmware.improv import FrameError, FrameReader, format_frame, format_request, format_result

VECTORS = [
    # What an unmodified client sends: request current state, device information, networks.
    (improv.RPC, bytes.fromhex("0200"), "494d50524f56 01 03 02 0200 e5"),
    (improv.RPC, bytes.fromhex("0300"), "494d50524f56 01 03 02 0300 e6"),
    (improv.RPC, bytes.fromhex("0400"), "494d50524f56 01 03 02 0400 e7"),
    # The credentials of the specification's example, MyWirelessAP and mysecurepassword, in a serial frame.
    (
        improv.RPC,
        bytes.fromhex("01 1e 0c 4d79576972656c6573734150 10 6d7973656375726570617373776f7264"),
        "494d50524f56 01 03 20 01 1e 0c 4d79576972656c6573734150 10 6d7973656375726570617373776f7264 c1",
    ),
    # States and errors.
    (improv.CURRENT_STATE, b"\x02", "494d50524f56 01 01 01 02 e2"),
    (improv.CURRENT_STATE, b"\x04", "494d50524f56 01 01 01 04 e4"),
    (improv.ERROR_STATE, b"\x00", "494d50524f56 01 02 01 00 e1"),
    (improv.ERROR_STATE, b"\xff", "494d50524f56 01 02 01 ff e0"),
    # The end of a list of networks.
    (improv.RPC_RESULT, bytes.fromhex("0400"), "494d50524f56 01 04 02 0400 e8"),
]


def read(frame: bytes) -> tuple[int, bytes] | None:
    """Type and data of the bytes of one frame, without what stands around it."""
    assert frame.startswith(improv.HEADER)
    reader = FrameReader()
    found = [reader.take(byte) for byte in frame[len(improv.HEADER) :]]
    assert found[:-1] == [None] * (len(found) - 1)
    return found[-1]


@pytest.mark.parametrize(("kind", "data", "wire"), VECTORS)
def test_vectors_of_the_specification_both_ways(kind: int, data: bytes, wire: str) -> None:
    frame = bytes.fromhex(wire)
    assert format_frame(kind, data) == b"\n" + frame + b"\n"
    assert read(frame) == (kind, data)


@given(st.integers(0, 255), st.binary(max_size=255))
def test_any_data_comes_through(kind: int, data: bytes) -> None:
    assert read(format_frame(kind, data)[1:-1]) == (kind, data)


@given(st.binary(max_size=60), st.integers(9, 60), st.integers(1, 255))
def test_a_changed_byte_is_noticed(data: bytes, where: int, change: int) -> None:
    frame = bytearray(format_frame(improv.RPC, data)[1:-1])
    frame[where % (len(frame) - 9) + 9] ^= change
    with pytest.raises(FrameError):
        read(bytes(frame))


# Of ten characters, which are at most forty bytes, six texts fit into one frame.
@given(st.lists(st.text(max_size=10), max_size=6))
def test_texts_come_through_and_no_result_has_the_length_that_is_misread(texts: list[str]) -> None:
    kind, data = read(format_result(improv.SCAN, texts)[1:-1]) or (0, b"")
    assert (kind, len(data) != 10) == (improv.RPC_RESULT, True)
    command, packed = improv.parse_command(data)
    assert command == improv.SCAN
    assert improv.parse_texts(packed)[: len(texts)] == texts


@given(st.binary(max_size=80))
def test_any_data_is_texts_or_refused(data: bytes) -> None:
    try:
        texts = improv.parse_texts(data)
    except FrameError:
        return
    assert improv.pack_texts(texts) == data


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x02a", b"\x01\x00a"])
def test_a_command_of_the_wrong_length_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        improv.parse_command(data)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(FrameError):
        format_result(improv.SCAN, ["x" * 256])
    with pytest.raises(FrameError):
        format_result(improv.SCAN, ["x" * 200, "y" * 60])
    assert len(format_request(improv.SEND_WIFI, bytes(97))) == 1 + 9 + 2 + 97 + 2
