"""A few of the cuts of `flash_cuts`."""

import pytest

from tests.sweeps.flash_cuts import sweep

pytestmark = pytest.mark.micropython


def test_a_flash_that_was_cut_is_brought_to_the_end_by_the_same_command() -> None:
    assert sweep(2, seed=4) >= 4
