"""What noise does to bytes, how much of it there is, and that it can be repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.virtual.noise import Noise


def noise(rate: float, seed: int = 0) -> Noise:
    made = Noise()
    made.set(rate, seed)
    return made


def test_silence_is_where_it_begins() -> None:
    assert Noise().disturb(b"abc") == b"abc"


@given(st.lists(st.binary(max_size=40)), st.integers(0, 100))
def test_it_does_not_depend_on_how_the_bytes_are_cut(pieces: list[bytes], seed: int) -> None:
    whole, cut = noise(0.2, seed), noise(0.2, seed)
    assert whole.disturb(b"".join(pieces)) == b"".join(cut.disturb(piece) for piece in pieces)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.5, 1.0])
def test_the_rate_is_the_part_of_the_bytes_that_suffers(rate: float) -> None:
    data = b"\x55" * 100_000
    arrived = noise(rate, seed=1).disturb(data)
    flipped = len(arrived) - arrived.count(b"\x55")  # flips and made-up bytes, two thirds of all
    assert flipped == pytest.approx(len(data) * rate * 2 / 3, rel=0.2)


def test_it_can_be_repeated_and_ended() -> None:
    data = bytes(range(256)) * 4
    made = noise(0.1, seed=7)
    first = made.disturb(data)
    made.set(0.1, seed=7)
    assert made.disturb(data) == first != data
    made.set(0)
    assert made.disturb(data) == data
