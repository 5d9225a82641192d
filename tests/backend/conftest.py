"""A backend of its own for every test, on a database in a temporary folder and a clock that stands still."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from dispctl.backend import security
from dispctl.backend.app import create_app
from dispctl.backend.settings import Settings
from tests.backend.actors import Board, Clock, Cook
from tests.backend.asgi import Client, Loop

ClientMaker = Callable[..., Client]
CookMaker = Callable[[str], Cook]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loop() -> Iterator[Loop]:
    running = Loop()
    yield running
    running.close()


@pytest.fixture
def app(tmp_path: Path, clock: Clock, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    # Each test has operators of its own; at full cost their passwords would take most of its time.
    monkeypatch.setattr(security, "MEMORY_KIB", 64)
    application = create_app(Settings(f"sqlite:///{tmp_path / 'backend.sqlite3'}", b"s" * 32, clock))
    lifespan = application.router.lifespan_context(application)
    loop.run(lifespan.__aenter__())
    yield application
    loop.run(lifespan.__aexit__(None, None, None))


@pytest.fixture
def new_client(app: FastAPI, loop: Loop) -> Iterator[ClientMaker]:
    """Makes clients without a cookie."""
    clients = []

    def make(base_url: str = "http://testserver") -> Client:
        clients.append(Client(app, loop, base_url))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(new_client: ClientMaker) -> Client:
    """Nobody in particular."""
    return new_client()


@pytest.fixture
def new_cook(new_client: ClientMaker) -> CookMaker:
    """Makes operators."""

    def make(name: str) -> Cook:
        cook = Cook(new_client())
        cook.sign_in(name)
        return cook

    return make


@pytest.fixture
def cook(new_cook: CookMaker) -> Cook:
    """Ana, with four jars."""
    ana = new_cook("Ana")
    ana.set_up_jars()
    return ana


@pytest.fixture
def board(cook: Cook) -> Board:
    """Ana's board."""
    return cook.claim_board()
