"""Boards that poll, heartbeat, pour and report, and operators who order: all in one event loop, on a schedule.

Latencies count from the moment a request was *due*, not from when it could be sent: a server that holds everything up
does not get fewer, and so better, numbers for it.
"""

import asyncio
import random
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from tests.backend.load.connection import Answer, Connection
from tests.backend.load.kitchens import Kitchen

HEARTBEAT_S = 30
# As the firmware's: a wait ends before a sign of life is due, and one that is due soon is given between two waits.
FREE_AFTER_S, EARLY_S = 4, 7.5
POUR_S = 1
STATUS = {"fw_version": "0.1.0", "status": {"rssi": -61, "free_heap": 90_000, "uptime_ms": 1_234_567}}


@dataclass
class Findings:
    """What was measured: seconds by kind of request, and what went wrong."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    measuring: bool = False
    began: float = field(default_factory=time.monotonic)

    def fail(self, kind: str, what: object) -> None:
        """Note what went wrong, and when."""
        self.errors.append(f"{kind}, after {time.monotonic() - self.began:.1f} s: {what}")

    def note(self, kind: str, seconds: float) -> None:
        """Note how long one took."""
        if self.measuring:
            self.seconds[kind].append(seconds)


@dataclass(frozen=True)
class Plan:
    """How the fleet behaves: `wait_s` 0 polls once a second, more is a long poll; `jobs_per_s` for the whole fleet.

    `ports` has one for each server process; boards are spread over them.
    """

    host: str
    ports: tuple[int, ...]
    wait_s: int
    jobs_per_s: float
    warm_up_s: float
    measured_s: float


async def run(kitchens: list[Kitchen], plan: Plan) -> Findings:
    """Run the fleet to the plan's end."""
    findings = Findings()
    boards = [
        _Board(kitchen, port, plan, findings)
        for kitchen, port in zip(kitchens, cycle(plan.ports), strict=False)
    ]
    tasks = [asyncio.create_task(board.live()) for board in boards]
    await asyncio.sleep(plan.warm_up_s)
    tasks.append(asyncio.create_task(_order(boards, plan, findings)))
    findings.measuring = True
    await asyncio.sleep(plan.measured_s)
    findings.measuring = False
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            findings.fail("measurement", repr(ended))
    return findings


class _Board:
    """One board on one kept connection: it asks for jobs and, between two polls, gives a sign of life, as the firmware does."""

    def __init__(self, kitchen: Kitchen, port: int, plan: Plan, findings: Findings) -> None:
        self.kitchen = kitchen
        self.ordered_at: float | None = None
        self._plan = plan
        self._findings = findings
        self._connection = Connection(plan.host, port)
        self._header = f"Authorization: Bearer {kitchen.token}"
        self._now = asyncio.get_running_loop().time
        self._poll_due = self._now() + random.uniform(0, max(1, self._plan.warm_up_s / 2))
        self._heartbeat_due = self._poll_due + random.uniform(0, HEARTBEAT_S)

    async def live(self) -> None:
        """Do what is due until cancelled."""
        early = EARLY_S if self._plan.wait_s else 0
        try:
            while True:
                if self._heartbeat_due - early <= self._poll_due:
                    # A wait has just ended; only the first sign of life waits for the first poll's turn.
                    due = self._poll_due if early else self._heartbeat_due
                    await asyncio.sleep(due - self._now())
                    await self._heartbeat(early)
                else:
                    await asyncio.sleep(self._poll_due - self._now())
                    await self._poll()
        finally:
            self._connection.close()

    async def _heartbeat(self, early: float) -> None:
        due = self._now() if early else self._heartbeat_due
        await self._send("heartbeat", due, ("POST", "/devices/me/heartbeat"), STATUS)
        self._heartbeat_due = (self._now() if early else self._heartbeat_due) + HEARTBEAT_S

    async def _poll(self) -> None:
        due, left = self._poll_due, self._heartbeat_due - FREE_AFTER_S - self._now()
        wait_s = max(0, min(self._plan.wait_s, int(left)))
        path = f"/devices/me/next_job{f'?wait={wait_s}' if wait_s else ''}"
        answer = await self._send("long poll" if wait_s else "poll", due, ("GET", path), expected=(200, 204))
        if self._plan.wait_s:
            self._poll_due = self._now() + (0 if answer else 1)
        else:
            self._poll_due = max(due + 1, self._now() - 1)
        if answer is not None and answer.status == 200:
            await self._pour(answer.json())
            self._poll_due, self._heartbeat_due = self._now(), max(self._now(), self._heartbeat_due)

    async def _pour(self, job: dict[str, Any]) -> None:
        if self.ordered_at is not None:
            self._findings.note("order to board", self._now() - self.ordered_at)
        await asyncio.sleep(POUR_S)
        names = ("frasco", "tempero", "quantidade_g", "segundos")
        entries = [
            {**{name: item[name] for name in names}, "status": "done", "error": None} for item in job["itens"]
        ]
        report = {"itens_completados": len(entries), "itens_falhados": 0, "execution_logs": entries}
        await self._send("report", self._now(), ("POST", f"/devices/me/jobs/{job['id']}/complete"), report)
        self.ordered_at = None

    async def _send(
        self,
        kind: str,
        due: float,
        request: tuple[str, str],
        body: Any = None,
        *,
        expected: tuple[int, ...] = (200,),
    ) -> Answer | None:
        try:
            answer = await self._connection.request(*request, self._header, body)
        except OSError as error:
            self._findings.fail(kind, repr(error))
            return None
        if answer.status not in expected:
            self._findings.fail(kind, f"{answer.status} {answer.body[:200]!r}")
        self._findings.note(kind, self._now() - due)
        return answer


async def _order(boards: list[_Board], plan: Plan, findings: Findings) -> None:
    """Order jobs, at the plan's rate, for boards that have none."""
    loop = asyncio.get_running_loop()
    connections = cycle([Connection(plan.host, port) for port in plan.ports])
    due = loop.time()
    while True:
        due += 1 / plan.jobs_per_s
        await asyncio.sleep(due - loop.time())
        board = random.choice(boards)
        if board.ordered_at is not None:
            continue
        board.ordered_at = began = loop.time()
        order = {"receita_id": board.kitchen.number, "pessoas_solicitadas": 4}
        header = f"Cookie: access_token={board.kitchen.cookie}"
        try:
            answer = await next(connections).request("POST", "/jobs", header, order)
        except OSError as error:
            findings.fail("order", repr(error))
            continue
        findings.note("order", loop.time() - began)
        if answer.status != 201:
            findings.fail("order", f"{answer.status} {answer.body[:200]!r}")
