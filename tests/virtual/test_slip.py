"""SLIP framing: every frame comes back, whole, whatever the pieces and the noise around it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual import slip
from dispctl.virtual.slip import SlipReader

CONTENTS = st.binary(min_size=1, max_size=60)


def test_the_two_special_bytes_are_escaped() -> None:
    assert slip.encode(b"\xc0\xdb\x01") == b"\xc0\xdb\xdc\xdb\xdd\x01\xc0"


@given(frames=st.lists(CONTENTS, max_size=6), cut=st.integers(1, 20))
def test_frames_come_back_from_pieces_of_any_size(frames: list[bytes], cut: int) -> None:
    stream = b"".join(map(slip.encode, frames))
    reader = SlipReader(1000)
    seen = [
        frame for start in range(0, len(stream), cut) for frame in reader.feed(stream[start : start + cut])
    ]
    assert seen == frames


@given(noise=st.binary(max_size=30), frame=CONTENTS)
def test_a_frame_after_noise_is_found_by_its_second_sending_at_the_latest(noise: bytes, frame: bytes) -> None:
    seen = SlipReader(1000).feed(noise + slip.encode(frame) * 2)
    assert seen[-1] == frame


def test_noise_between_frames_is_dropped() -> None:
    assert SlipReader(100).feed(slip.encode(b"one") + b"noise" + slip.encode(b"two")) == [b"one", b"two"]


def test_a_frame_with_a_wrong_escape_is_dropped() -> None:
    assert SlipReader(100).feed(b"\xc0a\xdb\x01b\xc0" + slip.encode(b"good")) == [b"good"]


def test_a_frame_without_an_end_does_not_fill_the_memory() -> None:
    reader = SlipReader(100)
    assert reader.feed(b"\xc0" + b"x" * 1000) == []
    assert reader.feed(b"x\xc0" + slip.encode(b"good")) == [b"good"]


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    SlipReader(50).feed(data)
