"""`python -m tests.backend.kill_sweep --kills 200`: a server killed again and again under load loses nothing.

Cooks order, boards report until they get an answer, and the server is killed (SIGKILL) at any moment. In the end the
ledger is compared with what the boards were told.
"""

import argparse
import random
import secrets
import socket
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from dispctl.backend.store.database import Database
from dispctl.backend.store.tables import JarRow, Job, JobReport, StockTaken
from tests.backend import databases
from tests.backend.actors import entry, report
from tests.backend.load.kitchens import STOCK_UG, Kitchen, fill
from tests.backend.served import Served

BOARDS = 6
DOSE_UG = 10_000_000
LONGEST_LIFE_S = 0.5
PATIENCE_S = 60


@dataclass
class Told:
    """What the boards were told, and what went wrong."""

    accepted: set[int] = field(default_factory=set)
    repeats: int = 0
    problems: list[str] = field(default_factory=list)


def sweep(url: str, folder: Path, kills: int) -> Told:
    """Kill the server so many times, let everybody finish, and check the ledger; `problems` should be empty."""
    secret = secrets.token_hex()
    secret_file = folder / "secret"
    secret_file.touch(mode=0o600)
    secret_file.write_text(secret)
    kitchens = fill(url, secret.encode(), BOARDS)
    port = _free_port()
    options = ("--port", str(port), "--database", url, "--secret-file", str(secret_file))
    told, stop = Told(), threading.Event()
    cooks = [
        threading.Thread(target=_cook, args=(kitchen, f"http://127.0.0.1:{port}", told, stop))
        for kitchen in kitchens
    ]
    for cook in cooks:
        cook.start()
    try:
        for _ in range(kills):
            _live_and_be_killed(options, told)
        with closing(Served(*options)) as last:
            last.line()
            stop.set()
            for cook in cooks:
                cook.join(PATIENCE_S)
    finally:
        stop.set()
    _check_ledger(url, told)
    return told


def _live_and_be_killed(options: tuple[str, ...], told: Told) -> None:
    with closing(Served(*options)) as server:
        server.line()
        before, deadline = len(told.accepted), time.monotonic() + PATIENCE_S
        while len(told.accepted) == before and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        threading.Event().wait(random.uniform(0, LONGEST_LIFE_S))
        server.process.kill()


def _cook(kitchen: Kitchen, url: str, told: Told, stop: threading.Event) -> None:
    """Order and pour until told to stop; whoever gets no answer asks again."""
    headers = {"Authorization": f"Bearer {kitchen.token}", "Cookie": f"access_token={kitchen.cookie}"}
    order = {"receita_id": kitchen.number, "pessoas_solicitadas": 4}
    with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S) as client:
        while not stop.is_set():
            _insist(client, told, _Request("POST", "/jobs", (201, 409), order))
            job = _insist(client, told, _Request("GET", "/devices/me/next_job", (200, 204)))
            if job is None or job.status_code == 204:
                continue
            body = report([entry(item) for item in job.json()["itens"]])
            job_id = job.json()["id"]
            report_it = _Request("POST", f"/devices/me/jobs/{job_id}/complete", (200,), body)
            if _insist(client, told, report_it) is not None:
                told.accepted.add(job_id)


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    expected: tuple[int, ...]
    body: Any = None


def _insist(client: httpx.Client, told: Told, request: _Request) -> httpx.Response | None:
    """The answer, asked for until there is one; None, and a problem, when it is none of those expected."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            answer = client.request(request.method, request.path, json=request.body)
        except httpx.TransportError:
            told.repeats += 1
            threading.Event().wait(0.02)
            continue
        if answer.status_code == 503:
            continue
        if answer.status_code in request.expected:
            return answer
        told.problems.append(f"{request.path}: {answer.status_code} {answer.text[:200]}")
        return None
    told.problems.append(f"{request.path}: no answer in {PATIENCE_S} s")
    return None


def _check_ledger(url: str, told: Told) -> None:
    with closing(Database(url)) as database, database.read() as session:
        reported = set(session.scalars(select(JobReport.job_id)))
        taken = {(row.job_id, row.jar): row.taken_ug for row in session.scalars(select(StockTaken))}
        owners = {job.id: job.operator_id for job in session.scalars(select(Job))}
        told.problems += [f"job {job_id}: its report is lost" for job_id in told.accepted - reported]
        due = {(job_id, jar): DOSE_UG for job_id in reported for jar in range(1, 5)}
        if taken != due:
            told.problems.append(f"the ledger differs: {taken.items() ^ due.items()}")
        for jar in session.scalars(select(JarRow)):
            gone = sum(
                ug
                for (job, number), ug in taken.items()
                if (owners[job], number) == (jar.operator_id, jar.number)
            )
            if jar.stock_ug != STOCK_UG - gone:
                told.problems.append(
                    f"jar {jar.number} of {jar.operator_id}: {jar.stock_ug} µg, not {STOCK_UG - gone}"
                )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def main() -> None:
    """Sweep as the options say; exits with 1 when anything was lost or taken twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.backend.kill_sweep", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        databases.new(options.database, Path(folder), durable=True) as url,
    ):
        told = sweep(url, Path(folder), options.kills)
    print(
        f"{options.database}: {options.kills} kills, {len(told.accepted)} reports accepted, "
        f"{told.repeats} requests without an answer, {len(told.problems)} problems"
    )
    for problem in told.problems:
        print(problem)
    raise SystemExit(bool(told.problems))


if __name__ == "__main__":
    main()
