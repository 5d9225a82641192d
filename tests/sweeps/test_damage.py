"""Some of the damage of `damage`, other pieces of it each time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sweeps.damage import sweep


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_damage_is_named_and_nothing_is_written(seed: int) -> None:
    assert sum(sweep(20, seed=seed).values()) == 40
