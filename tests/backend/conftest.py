"""A backend of its own for every test, on a database of its own and a clock that stands still.

The database is an SQLite file; a test that asks for `database_kind` with `ON_BOTH` runs on PostgreSQL too.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI

from dispctl.backend import security
from dispctl.backend.app import create_app
from dispctl.backend.settings import Settings
from dispctl.backend.store.database import Database
from dispctl.backend.store.tables import Base
from tests.backend import postgres
from tests.backend.actors import Board, Clock, Cook
from tests.backend.asgi import Client, Loop

ClientMaker = Callable[..., Client]
CookMaker = Callable[[str], Cook]

ON_BOTH = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loop() -> Iterator[Loop]:
    running = Loop()
    yield running
    running.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL for all tests of this process; without one they are skipped."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres.running())
        except postgres.NoPostgresError as error:
            pytest.skip(str(error))
        server.make_shared_database()
        yield server


@pytest.fixture(scope="session")
def empty_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with every migration run and nothing in it, to be copied."""
    file = tmp_path_factory.mktemp("empty") / "backend.sqlite3"
    Database(f"sqlite:///{file}").close()
    return file


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """An empty database of the test's own."""
    if database_kind == "sqlite":
        file = tmp_path / "backend.sqlite3"
        shutil.copy(request.getfixturevalue("empty_sqlite_file"), file)
        return f"sqlite:///{file}"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.emptied()


@pytest.fixture
def app(database_url: str, clock: Clock, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    # Each test has operators of its own; at full cost their passwords would take most of its time.
    monkeypatch.setattr(security, "MEMORY_KIB", 64)
    application = create_app(Settings(database_url, b"s" * 32, clock))
    lifespan = application.router.lifespan_context(application)
    loop.run(lifespan.__aenter__())
    yield application
    loop.run(lifespan.__aexit__(None, None, None))


@pytest.fixture
def everything_kept(app: FastAPI) -> Callable[[], str]:
    """Reads every row of every table, as text."""

    def read() -> str:
        with app.state.services.database.read() as session:
            return repr([session.execute(table.select()).all() for table in Base.metadata.sorted_tables])

    return read


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
