"""Answers that several tests give."""

from collections.abc import Callable

import httpx
import pytest


@pytest.fixture
def refused_connection() -> Callable[[httpx.Request], httpx.Response]:
    """Nothing listens at the backend's address."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("All connection attempts failed") from ConnectionRefusedError(111, "refused")

    return answer
