"""What holds for every test."""

import pytest
from hypothesis import settings

# Pytest's own time limit ends a hang; a busy machine is no failure.
settings.register_profile("without a stopwatch", deadline=None)
settings.load_profile("without a stopwatch")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what is chosen for a whole run."""
    parser.addoption(
        "--backend-database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="what the backend of the end-to-end tests keeps its data in",
    )
    parser.addoption(
        "--examples",
        type=int,
        default=6,
        help="how many requests are made up from the description of each of the backend's calls",
    )
