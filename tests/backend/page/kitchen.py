"""A backend that listens, with a cook and a board that use it as the tool and the firmware do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from dispctl.backend.app import create_app
from dispctl.backend.serve import listen, url_of
from dispctl.backend.settings import Settings
from tests.backend.actors import Board, Cook

DEADLINE_S = 20


@dataclass
class Kitchen:
    """Where the backend listens, and who uses it; the cook's name is Ana."""

    url: str
    cook: Cook
    board: Board


@contextmanager
def kitchen(folder: Path) -> Iterator[Kitchen]:
    """A backend with four jars, one board and no recipe, for the length of a block."""
    app = create_app(Settings(f"sqlite:///{folder / 'backend.sqlite3'}", b"s" * 32))
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, ws="websockets-sansio", log_level="warning")
        server = uvicorn.Server(config)
        serving = threading.Thread(target=server.run, args=([listener],))
        serving.start()
        try:
            url = url_of(listener)
            with httpx.Client(base_url=url) as client, httpx.Client(base_url=url) as boards:
                yield _furnished(url, client, boards)
        finally:
            server.should_exit = True
            serving.join(DEADLINE_S)


def _furnished(url: str, client: httpx.Client, boards: httpx.Client) -> Kitchen:
    cook = Cook(client)
    cook.sign_in("Ana")
    cook.set_up_jars()
    return Kitchen(url, cook, Board(boards, cook.claim_board().token))
