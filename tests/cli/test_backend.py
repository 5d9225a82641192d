"""``dispctl backend serve`` as a process of its own: its words, its exit codes, its end."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.backend.actors import Board, Cook, accepted, entry, report
from tests.backend.served import DEADLINE_S, Served, serving


def run(*options: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A ``backend serve`` that is expected to end by itself."""
    command = [sys.executable, "-m", "dispctl", "backend", "serve", *options]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=DEADLINE_S,
        check=False,
        env={**os.environ, **(environment or {})},
    )


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'backend.sqlite3'}"


@pytest.fixture
def served(database: str) -> Iterator[Served]:
    with serving("--port", "0", "--database", database) as running:
        yield running


def test_it_answers_at_the_address_it_prints(served: Served) -> None:
    label, _, url = served.line().partition(" ")

    assert label == "backend:"
    assert url.startswith("http://127.0.0.1:")
    assert "utc" in accepted(httpx.get(f"{url}/time"))


def test_json_names_the_address_too(database: str) -> None:
    with serving("--port", "0", "--database", database, "--json") as served:
        url = json.loads(served.line())["backend"]
        assert httpx.get(f"{url}/time").status_code == 200


def test_a_job_from_order_to_report_watched_live(served: Served) -> None:
    url = served.line().split()[1]
    with httpx.Client(base_url=url) as client:
        cook = Cook(client)
        cook.sign_in("Ana")
        cook.set_up_jars()
        board = cook.claim_board()
        job = cook.queue_job()
        cookie = {"Cookie": f"access_token={client.cookies['access_token']}"}
        address = f"{url.replace('http', 'ws', 1)}/ws/jobs/{job['id']}"

        with connect(address, additional_headers=cookie, open_timeout=DEADLINE_S) as socket:
            socket.send("ping")
            assert json.loads(socket.recv(DEADLINE_S)) == {"type": "pong"}
            entries = [entry(item) for item in accepted(board.next_job())["itens"]]
            accepted(board.complete(job["id"], report(entries)))
            messages = [json.loads(socket.recv(DEADLINE_S)) for _ in range(5)]

        assert [message["data"] for message in messages[:4]] == entries
        assert messages[4]["data"]["job_status"] == "done"
        assert cook.stock_g() == dict.fromkeys(range(1, 5), 90.0)


def idle_board(url: str) -> Board:
    """The board of another operator, who has no job."""
    with httpx.Client(base_url=url) as client:
        bia = Cook(client)
        bia.sign_in("Bia")
        return bia.claim_board()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_ends_by_a_signal_with_a_watcher_and_a_waiting_board_still_there(
    served: Served, number: signal.Signals, code: int
) -> None:
    url = served.line().split()[1]
    with httpx.Client(base_url=url) as client:
        cook = Cook(client)
        cook.sign_in("Ana")
        cook.set_up_jars()
        job = cook.queue_job()
        idle = idle_board(url)
        cookie = {"Cookie": f"access_token={client.cookies['access_token']}"}
        address = f"{url.replace('http', 'ws', 1)}/ws/jobs/{job['id']}"
        with (
            connect(address, additional_headers=cookie, open_timeout=DEADLINE_S),
            ThreadPoolExecutor(1) as pool,
        ):
            waiting = pool.submit(
                httpx.get, f"{url}/devices/me/next_job?wait=25", headers=idle.headers, timeout=DEADLINE_S
            )
            while "dispctl_polls_in_hand 1.0" not in client.get("/metrics").text:
                assert not waiting.done(), waiting.result()
            ended, words = served.stop(number)
            assert waiting.result(DEADLINE_S).status_code == 204

    assert ended == code
    assert "The backend has stopped." in words
    assert "Traceback" not in words


def test_what_was_answered_is_there_after_a_kill_and_a_new_start(database: str) -> None:
    with serving("--port", "0", "--database", database) as served, httpx.Client() as client:
        client.base_url = served.line().split()[1]
        cook = Cook(client)
        cook.sign_in("Ana")
        cook.set_up_jars()
        board = cook.claim_board()
        job = cook.queue_job()
        body = report([entry(item) for item in job["itens"]])
        accepted(board.complete(job["id"], body))
        served.process.kill()

        with serving("--port", "0", "--database", database) as again:
            client.base_url = again.line().split()[1]
            accepted(board.complete(job["id"], body))
            assert cook.stock_g() == dict.fromkeys(range(1, 5), 90.0)


def test_requests_are_told_on_standard_error_when_asked_for(database: str) -> None:
    for options, told in (((), False), (("--verbose",), True)):
        with serving("--port", "0", "--database", database, *options) as served:
            url = served.line().split()[1]
            httpx.get(f"{url}/time")
            _, words = served.stop()
            assert ("GET /time" in words) is told


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the limit of another process")
@pytest.mark.parametrize(
    ("limit", "allowed"), [("ulimit -Sn 256", None), ("ulimit -n 512", 512)], ids=["raised", "too low"]
)
def test_it_lets_in_as_many_boards_as_the_system_allows(
    database: str, limit: str, allowed: int | None
) -> None:
    import resource

    shell = ("sh", "-c", f'{limit} && exec "$@"', "sh")
    with closing(Served("--port", "0", "--database", database, within=shell)) as served:
        served.line()
        soft, hard = resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE)
        _, told = served.stop()

    assert soft == (allowed or hard)
    assert ("Raise the limit (ulimit -Hn)" in told) is (allowed is not None)


def test_a_busy_port_is_said_to_be_busy(database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ended = run("--port", port, "--database", database)

    assert ended.returncode == 7
    assert f"cannot listen at 127.0.0.1, port {port}: another process holds it." in ended.stderr
    assert "--port 0" in ended.stderr
    assert ended.stdout == ""


def test_others_are_let_in_only_with_a_secret_of_their_own(tmp_path: Path, database: str) -> None:
    refused = run("--host", "0.0.0.0", "--port", "0", "--database", database, "--json")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["code"] == 2
    assert "--secret-file" in refused.stderr

    secret = tmp_path / "secret"
    secret.write_text("s" * 64)
    secret.chmod(0o600)
    options = ("--host", "0.0.0.0", "--port", "0", "--database", database, "--secret-file", str(secret))
    with serving(*options) as served:
        port = served.line().rpartition(":")[2]
        assert httpx.get(f"http://127.0.0.1:{port}/time").status_code == 200


def test_a_short_secret_is_refused(tmp_path: Path, database: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("short")
    secret.chmod(0o600)

    ended = run("--port", "0", "--database", database, "--secret-file", str(secret))

    assert ended.returncode == 2
    assert "shorter than 32 bytes" in ended.stderr


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "postgresql://localhost/x"])
def test_a_database_that_cannot_be_meant_is_a_usage_error(url: str) -> None:
    ended = run("--port", "0", "--database", url)

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_file_that_is_no_database_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database " * 100)

    ended = run("--port", "0", "--database", f"sqlite:///{tmp_path / 'notes.txt'}")

    assert ended.returncode == 2
    assert "file is not a database" in ended.stderr


def test_without_the_extra_the_missing_install_is_named(tmp_path: Path, database: str) -> None:
    (tmp_path / "fastapi.py").write_text("raise ModuleNotFoundError('no fastapi', name='fastapi')\n")

    ended = run("--database", database, environment={"PYTHONPATH": str(tmp_path)})

    assert ended.returncode == 2
    assert "pip install 'dispctl[backend]'" in ended.stderr
