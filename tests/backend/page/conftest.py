"""Ana at her browser, in the language that the test wants."""

import pytest

from tests.backend.actors import Cook
from tests.backend.asgi import Client
from tests.backend.page.visitor import Visitor


@pytest.fixture
def visitor(client: Client) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(client)


@pytest.fixture
def ana(cook: Cook) -> Visitor:
    """Ana, signed in, with her four jars."""
    assert isinstance(cook.client, Client)
    return Visitor(cook.client)
