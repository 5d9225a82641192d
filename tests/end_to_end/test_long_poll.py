"""A board that waits at the embedded backend for its job. What is looked at is which request was answered, not when."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.end_to_end.processes import Dispctl, Running
from tests.firmware.kitchen import Kitchen, kitchen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.micropython

OPERATOR = {"nome": "cozinha", "senha": "muito-secreto-1"}
HEARTBEAT_S = 30
SHORT_HEARTBEAT_S = 8  # leaves room for waits of a few seconds
POLL = re.compile(r"\[HTTP\] GET /devices/me/next_job(\?wait=\d+)? -> (\d+)")
BEAT = "[HTTP] POST /devices/me/heartbeat -> 200"
FIRST_POLL = "[HTTP] GET /devices/me/next_job -> 204"
STARTED = "[SETUP] dispctl firmware"


class Site:
    """A backend that can be restarted at its address, with an operator, a jar of salt and a board's token."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Running | None = None
        self.url = "http://127.0.0.1:0"
        self.start()
        self._operator = httpx.Client(base_url=self.url)
        self._ask("POST", "/auth/register", OPERATOR)
        self._ask("POST", "/auth/login", OPERATOR)
        jar = {"frasco": 1, "rotulo": "Sal", "g_por_seg": 2.0, "estoque_g": 100.0}
        self._ask("PUT", "/config/robo", [jar])
        code = self._ask("POST", "/devices/claims")["code"]
        claim = {"uid": "esp-246f28000001", "claim_code": code, "fw_version": "1", "mac": ""}
        self.token = str(self._ask("POST", "/devices/claim", claim)["device_token"])

    def start(self) -> None:
        """Serve at the address of before, if there was one."""
        port = str(urlsplit(self.url).port)
        database = f"sqlite:///{self._folder}/site.db"
        shell = Dispctl({"XDG_DATA_HOME": str(self._folder), "XDG_STATE_HOME": str(self._folder)})
        self._process = shell.start("backend", "serve", "--json", "--port", port, "--database", database)
        ready = json.loads(self._process.lines[self._process.wait_for("{")])
        self.url = str(ready["backend"])

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._process is not None:
            assert self._process.stop() == 0
            self._process = None

    def close(self) -> None:
        """Leave nothing behind."""
        self._operator.close()
        self.stop()

    def order(self, grams: float) -> int:
        """Order salt; returns the job's id."""
        ingredients = [{"tempero": "Sal", "quantidade": grams}]
        recipe = self._ask("POST", "/receitas/", {"nome": "Sal", "porcoes": 1, "ingredientes": ingredients})
        return int(self._ask("POST", "/jobs", {"receita_id": recipe["id"], "pessoas_solicitadas": 1})["id"])

    def polls_in_hand(self) -> int:
        """How many boards ask, and have no answer yet."""
        lines = self._operator.get("/metrics").raise_for_status().text.splitlines()
        told = next(line for line in lines if line.startswith("dispctl_polls_in_hand "))
        return int(float(told.split()[1]))

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return self._operator.request(method, path, json=body).raise_for_status().json()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A place of this test's own: it is stopped and started."""
    made = Site(tmp_path)
    yield made
    made.close()


@asynccontextmanager
async def waiting_board(site: Site, folder: Path, heartbeat_s: int = HEARTBEAT_S) -> AsyncIterator[Kitchen]:
    """A board whose poll is in the backend's hands, after one that told it that it may wait."""
    settings: dict[str, Any] = {
        "backend_url": site.url,
        "device_token": site.token,
        "heartbeat_sec": heartbeat_s,
    }
    async with kitchen(folder, debug_http=True, **settings) as at:
        await at.line(FIRST_POLL)
        await at.wait_for(lambda: site.polls_in_hand() == 1, "poll that waits")
        yield at


def polls(at: Kitchen, after: int = 0) -> list[tuple[bool, str]]:
    """The polls that were answered, from the `after`th line on: whether each was allowed to wait, and its status."""
    found = [POLL.match(line.text) for line in at.lines[after:]]
    return [(bool(poll[1]), poll[2]) for poll in found if poll]


def test_the_poll_that_waits_is_answered_with_the_order(site: Site, tmp_path: Path) -> None:
    async def serve() -> None:
        async with waiting_board(site, tmp_path) as at:
            before = len(at.lines)
            status, _ = await at.ask("status")
            assert status["backend"]["reached"]
            assert site.polls_in_hand() == 1, "the control line ended the wait"
            job = site.order(2.0)
            await at.line(f"[POLL] Job {job} salvo", after=before)
            assert polls(at, before) == [(True, "200")]
            await at.line("[REPORT] ✓", after=before)
            assert len(at.openings(1)) == 1

    asyncio.run(serve())


def test_the_heartbeat_goes_out_between_waits(site: Site, tmp_path: Path) -> None:
    async def serve() -> None:
        async with waiting_board(site, tmp_path, SHORT_HEARTBEAT_S) as at:
            for _ in range(2):
                after = len(at.lines)
                await at.line(BEAT, after=after)
                assert (True, "204") in polls(at, after), at.lines[after:]

    asyncio.run(serve())


def test_a_backend_that_restarts_meanwhile_is_found_again(site: Site, tmp_path: Path) -> None:
    async def serve() -> None:
        async with waiting_board(site, tmp_path) as at:
            before = len(at.lines)
            await asyncio.to_thread(site.stop)
            await at.line("[POLL] ✗", after=before)
            assert polls(at, before)[0] == (True, "204"), "who waits is told that the backend ends"
            await asyncio.to_thread(site.start)
            job = site.order(2.0)
            await at.line(f"[POLL] Job {job} salvo", after=before)
            await at.line("[REPORT] ✓", after=before)
            assert not [line for line in at.lines[before:] if line.text.startswith(STARTED)]

    asyncio.run(serve())
