"""The official Improv Serial client, from npm and unmodified, against a virtual board that runs the firmware.

Its place for a Web Serial port is taken by a TCP connection, which the test joins to the board's cable.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dispctl.adapters.port import close_port, open_port
from tests.end_to_end.conftest import SSID, WIFI_PASSWORD, start_board

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispctl.adapters.port import SerialPort
    from tests.end_to_end.conftest import Board, Workshop

SDK = Path(__file__).parent.parent / "improv_sdk"
INSTALL_TIMEOUT_S = 90
CLIENT_TIMEOUT_S = 90
SLOW_ENOUGH = "4"
"""A jar of 50 s is open for 12 s: time for node to start and ask on a busy machine."""
READY, PROVISIONED = 2, 4
NO_ERROR, UNKNOWN_RPC, UNABLE_TO_CONNECT = 0, 2, 3


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client installed as the lock file says; skips where that cannot be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("sdk") / "improv_sdk"
    shutil.copytree(SDK, folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_TIMEOUT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"the npm registry gave no Improv client: {str(error.stderr)[-200:]}")
    return folder


@contextlib.contextmanager
def bridged(name: str) -> Iterator[int]:
    """The TCP port at which the cable `name` can be had as a bare stream, by one client."""
    cable = open_port(name, timeout_s=0.02)
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()
        carrying = threading.Thread(target=carry, args=(server, cable, stop))
        carrying.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            carrying.join()
            close_port(cable)


def carry(server: socket.socket, cable: SerialPort, stop: threading.Event) -> None:
    """Carry bytes both ways until `stop` is set or the client hangs up."""
    server.settimeout(CLIENT_TIMEOUT_S)
    client, _ = server.accept()
    with client:
        client.settimeout(0.01)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                data = client.recv(4096)
                if not data:
                    return
                cable.write(data)
            with contextlib.suppress(OSError):  # the client is done
                client.sendall(cable.read(max(1, cable.in_waiting)))


def run_client(sdk: Path, board: Board, *steps: tuple[str, ...]) -> list[dict[str, Any]]:
    """What each step came to."""
    with bridged(board.cable) as port:
        command = ["node", "client.mjs", str(port), json.dumps(steps)]
        ended = subprocess.run(
            command, cwd=sdk, check=False, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S
        )
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_the_official_client_finds_scans_and_provisions(sdk: Path, board: Board, workshop: Workshop) -> None:
    workshop.dispctl.done("provision", "--port", board.port, "--forget", "--yes")
    info, scan, wrong, right, state, network, hostname = run_client(
        sdk, board, ("info",), ("scan",), ("provision", SSID, "errada-errada"), ("provision", SSID, WIFI_PASSWORD),
        ("state",), ("network",), ("hostname",),
    )  # fmt: skip
    assert info["info"]["firmware"] == "dispctl"
    assert info["info"]["chipFamily"] == "ESP32"
    assert info["info"]["name"].startswith("esp-")
    assert info["state"] == READY
    assert {network["name"] for network in scan["networks"]} == {SSID}
    assert (wrong["refused"], wrong["error"], wrong["state"]) == (
        "UNABLE_TO_CONNECT",
        UNABLE_TO_CONNECT,
        READY,
    )
    assert "refused" not in right
    assert (right["error"], right["state"], state["state"]) == (NO_ERROR, PROVISIONED, PROVISIONED)
    assert network["network"]["online"]
    assert hostname["refused"] == "UNKNOWN_RPC_COMMAND"
    assert hostname["problems"] == []


def test_the_official_client_is_answered_while_a_jar_is_open(
    sdk: Path, workshop: Workshop, provisioned_flash: Path, tmp_path: Path
) -> None:
    workshop.stock_up()
    shutil.copy(provisioned_flash, tmp_path / "flash")
    board = start_board(
        workshop.dispctl, "improv-pour", "--flash", str(tmp_path / "flash"), "--speed", SLOW_ENOUGH
    )
    with board.process, board.control:
        with board.monitor() as log:
            workshop.send_job("--item", "Sal=100")
            log.wait_for("Item 1/1")
        info, state = run_client(sdk, board, ("info",), ("state",))
        doses = board.control.doses()
        assert doses["jars"][0]["open"], "the jar was closed before the client had its answers"
        with board.monitor() as log:
            log.wait_for("Relatório enviado com sucesso")
        assert board.poured_ms()[0] == pytest.approx(50_000, abs=1000)
    assert info["info"]["firmware"] == "dispctl"
    assert (state["state"], state["url"]) == (PROVISIONED, workshop.gateway.url)
