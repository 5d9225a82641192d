"""Boards that poll, heartbeat, pour and report, and operators who order: all in one event loop, on a schedule.

Latencies count from the moment a request was *due*, not from when it could be sent: a server that holds everything up
does not get fewer, and so better, numbers for it.
"""

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.backend.load.connection import Answer, Connection
from tests.backend.load.kitchens import Kitchen

HEARTBEAT_S = 30
POUR_S = 1
STATUS = {"fw_version": "0.1.0", "status": {"rssi": -61, "free_heap": 90_000, "uptime_ms": 1_234_567}}


@dataclass
class Findings:
    """What was measured: seconds by kind of request, and what went wrong."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    measuring: bool = False

    def note(self, kind: str, seconds: float) -> None:
        """Note how long one took."""
        if self.measuring:
            self.seconds[kind].append(seconds)


@dataclass(frozen=True)
class Plan:
    """How the fleet behaves: `wait_s` 0 polls once a second, more is a long poll; `jobs_per_s` for the whole fleet."""

    host: str
    port: int
    wait_s: int
    jobs_per_s: float
    warm_up_s: float
    measured_s: float


async def run(kitchens: list[Kitchen], plan: Plan) -> Findings:
    """Run the fleet to the plan's end."""
    findings = Findings()
    boards = [_Board(kitchen, plan, findings) for kitchen in kitchens]
    tasks = [asyncio.create_task(board.poll()) for board in boards]
    tasks += [asyncio.create_task(board.heartbeat()) for board in boards]
    await asyncio.sleep(plan.warm_up_s)
    tasks.append(asyncio.create_task(_order(boards, plan, findings)))
    findings.measuring = True
    await asyncio.sleep(plan.measured_s)
    findings.measuring = False
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for board in boards:
        board.close()
    return findings


class _Board:
    def __init__(self, kitchen: Kitchen, plan: Plan, findings: Findings) -> None:
        self.kitchen = kitchen
        self.ordered_at: float | None = None
        self._plan = plan
        self._findings = findings
        self._connection = Connection(plan.host, plan.port)
        # A long poll keeps its connection busy: the heartbeat opens another, and closes it.
        self._second = Connection(plan.host, plan.port) if plan.wait_s else self._connection
        self._turn = asyncio.Lock()
        self._header = f"Authorization: Bearer {kitchen.token}"

    def close(self) -> None:
        self._connection.close()
        self._second.close()

    async def poll(self) -> None:
        """Ask for jobs until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + random.uniform(0, min(self._plan.warm_up_s / 2, max(1, self._plan.wait_s)))
        while True:
            await asyncio.sleep(due - loop.time())
            async with self._turn:
                kind = "long poll" if self._plan.wait_s else "poll"
                path = f"/devices/me/next_job{f'?wait={self._plan.wait_s}' if self._plan.wait_s else ''}"
                answer = await self._send(kind, due, self._connection, ("GET", path), expected=(200, 204))
                if answer is not None and answer.status == 200:
                    await self._pour(answer.json())
            due = loop.time() if self._plan.wait_s else max(due + 1, loop.time() - 1)

    async def heartbeat(self) -> None:
        """Give a sign of life every `HEARTBEAT_S` seconds until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + random.uniform(0, HEARTBEAT_S)
        lock = asyncio.Lock() if self._second is not self._connection else self._turn
        while True:
            await asyncio.sleep(due - loop.time())
            async with lock:
                asked = max(due, loop.time() - 1) if lock is self._turn else due
                await self._send("heartbeat", asked, self._second, ("POST", "/devices/me/heartbeat"), STATUS)
                if self._second is not self._connection:
                    self._second.close()
            due += HEARTBEAT_S

    async def _pour(self, job: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        if self.ordered_at is not None:
            self._findings.note("order to board", loop.time() - self.ordered_at)
        await asyncio.sleep(POUR_S)
        names = ("frasco", "tempero", "quantidade_g", "segundos")
        entries = [
            {**{name: item[name] for name in names}, "status": "done", "error": None} for item in job["itens"]
        ]
        report = {"itens_completados": len(entries), "itens_falhados": 0, "execution_logs": entries}
        path = f"/devices/me/jobs/{job['id']}/complete"
        await self._send("report", loop.time(), self._connection, ("POST", path), report)
        self.ordered_at = None

    async def _send(
        self,
        kind: str,
        due: float,
        connection: Connection,
        request: tuple[str, str],
        body: Any = None,
        *,
        expected: tuple[int, ...] = (200,),
    ) -> Answer | None:
        try:
            answer = await connection.request(*request, self._header, body)
        except OSError as error:
            self._findings.errors.append(f"{kind}: {error!r}")
            return None
        if answer.status not in expected:
            self._findings.errors.append(f"{kind}: {answer.status} {answer.body[:200]!r}")
        self._findings.note(kind, asyncio.get_running_loop().time() - due)
        return answer


async def _order(boards: list[_Board], plan: Plan, findings: Findings) -> None:
    """Order jobs, at the plan's rate, for boards that have none."""
    loop = asyncio.get_running_loop()
    connection = Connection(plan.host, plan.port)
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
            answer = await connection.request("POST", "/jobs", header, order)
        except OSError as error:
            findings.errors.append(f"order: {error!r}")
            continue
        findings.note("order", loop.time() - began)
        if answer.status != 201:
            findings.errors.append(f"order: {answer.status} {answer.body[:200]!r}")
