"""`python -m tests.backend.load`: measure the backend under fleets of several sizes; writes JSON, a table, a plot."""

import argparse
import asyncio
import gc
import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispctl.backend.serve import allow_many_connections
from tests.backend import databases
from tests.backend.load.chart import chart, table
from tests.backend.load.fleet import Findings, Plan, run
from tests.backend.load.kitchens import Kitchen, fill


def main() -> None:
    """Measure every size on every database that was asked for."""
    options = _options()
    allow_many_connections()
    results = json.loads(options.out.read_text()) if options.out.exists() else []
    for kind in options.databases:
        for boards in options.boards:
            result = _measure(kind, boards, options)
            print(json.dumps(result), flush=True)
            results.append(result)
            options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))
    if options.plot:
        options.plot.write_text(chart(results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.backend.load", description=__doc__)
    parser.add_argument("--boards", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--wait", type=int, default=0, help="seconds of a long poll; 0: poll once a second")
    parser.add_argument(
        "--processes", type=int, default=1, help="server processes; more than one: PostgreSQL"
    )
    parser.add_argument("--jobs", type=float, default=5, help="jobs a second, all boards together")
    parser.add_argument("--warm-up", type=float, default=5)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--out", type=Path, default=Path("load.json"), help="results are added to this file")
    parser.add_argument("--plot", type=Path, help="write an SVG of all results in --out")
    return parser.parse_args()


def _measure(kind: str, boards: int, options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, databases.new(kind, Path(folder), durable=True) as url:
        secret = secrets.token_hex().encode()
        secret_file = Path(folder) / "secret"
        secret_file.touch(mode=0o600)
        secret_file.write_bytes(secret)
        kitchens = fill(url, secret, boards)
        with ExitStack() as stack:
            servers = [stack.enter_context(_serving(url, secret_file)) for _ in range(options.processes)]
            return {
                "database": kind,
                "boards": boards,
                "wait_s": options.wait,
                "processes": options.processes,
                "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
                **_run(kitchens, servers, options),
            }


def _run(kitchens: list[Kitchen], servers: "list[_Server]", options: argparse.Namespace) -> dict[str, Any]:
    ports = tuple(server.port for server in servers)
    plan = Plan("127.0.0.1", ports, options.wait, options.jobs, options.warm_up, options.seconds)
    busy, began, mine = sum(map(_cpu_s, servers)), time.monotonic(), time.process_time()
    gc.disable()  # or its pauses would be taken for the server's
    try:
        findings = asyncio.run(run(kitchens, plan))
    finally:
        gc.enable()
    lasted = time.monotonic() - began
    return {
        "load_average": round(os.getloadavg()[0], 1),
        "server_cpu": round((sum(map(_cpu_s, servers)) - busy) / lasted, 2),
        "generator_cpu": round((time.process_time() - mine) / lasted, 2),
        "server_rss_mib": sum(map(_rss_mib, servers)),
        **_summary(findings, options.seconds),
    }


@dataclass(frozen=True)
class _Server:
    pid: int
    port: int


@contextmanager
def _serving(url: str, secret_file: Path) -> Iterator[_Server]:
    command = [sys.executable, "-m", "dispctl", "backend", "serve", "--port", "0"]
    server = subprocess.Popen(
        [*command, "--database", url, "--secret-file", str(secret_file)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield _Server(server.pid, int(server.stdout.readline().rpartition(":")[2]))
    finally:
        server.terminate()
        server.wait(30)


def _cpu_s(server: _Server) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mib(server: _Server) -> int:
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def _summary(findings: Findings, seconds: float) -> dict[str, Any]:
    requests = sum(len(taken) for kind, taken in findings.seconds.items() if kind != "order to board")
    return {
        "requests_per_s": round(requests / seconds),
        "errors": len(findings.errors),
        "first_errors": findings.errors[:3],
        **{kind: _quantiles(sorted(taken)) for kind, taken in sorted(findings.seconds.items())},
    }


def _quantiles(taken: list[float]) -> dict[str, float]:
    def at(share: float) -> float:
        return round(taken[min(len(taken) - 1, int(len(taken) * share))] * 1000, 1)

    return {"count": len(taken), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1)}


if __name__ == "__main__":
    main()
