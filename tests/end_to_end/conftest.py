"""A workshop on this machine: backend, network and a board that was flashed and provisioned by the real commands.

Flashing and provisioning happen once for each test process; every test starts from a copy of that board's flash.
"""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dispctl.adapters.simulator import Simulator
from tests.backend import databases
from tests.backend.postgres import NoPostgresError
from tests.end_to_end.gateway import Gateway
from tests.end_to_end.processes import Dispctl, Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPICES = ("Sal", "Pimenta", "Cominho", "Orégano")
OPERATOR, PASSWORD = "oficina", "muito-secreto-1"
SSID, WIFI_PASSWORD = "Cozinha", "tempero123"
SPEED = "10"
MAC, OTHER_MAC = "24:6f:28:00:00:01", "24:6f:28:00:00:02"
"""The provisioned board, on many copies of its flash, and one that is claimed anew."""


@dataclass
class Workshop:
    """The backend, the network before it, and an operator's shell."""

    dispctl: Dispctl
    backend_url: str
    gateway: Gateway
    image: Path
    folder: Path

    def stock_up(self) -> None:
        """Four jars, 2 g/s, 100 g each, and no job; by HTTP, since every test begins with it."""
        with httpx.Client(base_url=self.backend_url) as operator:
            login = operator.post("/auth/login", json={"nome": OPERATOR, "senha": PASSWORD})
            jars = [
                {"frasco": number, "rotulo": spice, "g_por_seg": 2.0, "estoque_g": 100.0}
                for number, spice in enumerate(SPICES, start=1)
            ]
            stored = operator.put("/config/robo", json=jars)
            cancelled = operator.post("/jobs/active/cancel")
        for answer in (login, stored, cancelled):
            answer.raise_for_status()

    def forget_board(self, mac: str) -> None:
        """Take the board with `mac` off the operator's list, if it is there."""
        uid = f"esp-{mac.replace(':', '')}"
        with httpx.Client(base_url=self.backend_url) as operator:
            operator.post("/auth/login", json={"nome": OPERATOR, "senha": PASSWORD}).raise_for_status()
            devices = operator.get("/devices").raise_for_status().json()["devices"]
            for device in devices:
                if device["uid"] == uid:
                    operator.delete(f"/devices/{device['id']}").raise_for_status()

    def stock(self) -> list[float]:
        """What is left in jars 1 to 4, in grams."""
        return [jar["estoque_g"] for jar in self.dispctl.json("jars")["jars"]]

    def send_job(self, *arguments: str) -> int:
        """Send 10 g of each spice (or what `arguments` say); returns the job's id."""
        items = arguments or tuple(word for spice in SPICES for word in ("--item", f"{spice}=10"))
        return int(self.dispctl.json("send-job", *items)["job"]["id"])

    def job(self, number: int) -> dict[str, Any]:
        """The job as the backend holds it."""
        found: dict[str, Any] = self.dispctl.json("job", "show", str(number))["job"]
        return found


@dataclass
class Board:
    """A running virtual board, driven by `dispctl sim` as from another terminal."""

    dispctl: Dispctl
    name: str
    cable: str
    process: Running
    control: Simulator

    @property
    def port(self) -> str:
        """What `--port` takes."""
        return f"sim:{self.name}"

    def wifi(self, *, on: bool) -> None:
        """Switch the access point, at once: starting `dispctl sim wifi` could take longer than a jar."""
        self.control.request("wifi", on=on)

    def cycle_power(self) -> None:
        """Pull the plug and put it back, at once."""
        self.control.request("power", action="cycle")

    def press_reset(self) -> None:
        """Press EN, at once."""
        self.control.request("reset", cause="en")

    def poured_ms(self) -> list[float]:
        """How long jars 1 to 4 were open in all, from the board's ground truth."""
        doses = self.dispctl.json("sim", "doses", "--name", self.name)
        assert not any(jar["open"] for jar in doses["jars"]), doses
        return [jar["total_ms"] for jar in doses["jars"]]

    def monitor(self) -> Running:
        """A monitor on the cable; its lines are the log's."""
        return self.dispctl.start("monitor", "--port", self.port)


def start_board(dispctl: Dispctl, name: str, *arguments: str) -> Board:
    """Start `dispctl sim run` and wait for its cable."""
    options = ("--rfc2217-port", "0", "--no-pacing", *arguments)
    process = dispctl.start("sim", "run", "--json", "--name", name, *options)
    ready = json.loads(process.lines[process.wait_for("{")])
    return Board(dispctl, name, ready["cable"], process, Simulator(ready["control"]))


@contextmanager
def opened_workshop(folder: Path, database_url: str) -> Iterator[Workshop]:
    """A backend with an operator logged in, and the image that stands for MicroPython; its files are in `folder`."""
    places = {
        "DISPCTL_SIM_DIR": "sim",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "data",
        "XDG_STATE_HOME": "state",
    }
    environment = {name: str(folder / place) for name, place in places.items()}
    options = ("--json", "--port", "0", "--database", database_url)
    with Dispctl(environment).start("backend", "serve", *options) as server:
        backend_url = json.loads(server.lines[server.wait_for("{")])["backend"]
        dispctl = Dispctl({**environment, "DISPCTL_BACKEND": backend_url})
        dispctl.done("login", OPERATOR, "--register", "--password-stdin", stdin=PASSWORD)
        dispctl.done("sim", "image", str(folder / "micropython.bin"))
        with closing(Gateway(backend_url)) as gateway:
            yield Workshop(dispctl, backend_url, gateway, folder / "micropython.bin", folder)


def provision_board(workshop: Workshop) -> Path:
    """The flash of a board that was blank, then flashed and provisioned with the real commands."""
    flash = workshop.folder / "provisioned.flash"
    board = start_board(workshop.dispctl, "template", "--mac", MAC, "--flash", str(flash), "--speed", SPEED)
    with board.process, board.control:
        workshop.dispctl.done("flash", "--port", board.port, "--micropython", str(workshop.image), "--yes")
        workshop.dispctl.done(
            "provision", "--port", board.port, "--ssid", SSID, "--password-stdin", "--board-backend", workshop.gateway.url,
            stdin=WIFI_PASSWORD,
        )  # fmt: skip
    return flash


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database; without a PostgreSQL the test is skipped."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(databases.new(kind, folder))
        except NoPostgresError as error:
            pytest.skip(str(error))
        yield url


@pytest.fixture(scope="session")
def workshop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """The workshop that the tests of this process use in turn, on the kind of database that was chosen for the run."""
    folder = tmp_path_factory.mktemp("workshop")
    with (
        new_database(request.config.getoption("--backend-database"), folder) as url,
        opened_workshop(folder, url) as opened,
    ):
        yield opened


@pytest.fixture(scope="session")
def provisioned_flash(workshop: Workshop) -> Path:
    """The workshop's board, to be copied."""
    return provision_board(workshop)


@contextmanager
def copy_of_board(workshop: Workshop, flash: Path, folder: Path, name: str, mac: str) -> Iterator[Board]:
    """A running board on a copy of `flash` in `folder`, jars filled, no job active."""
    workshop.gateway.unblock()
    workshop.stock_up()
    shutil.copy(flash, folder / "flash")
    options = ("--mac", mac, "--flash", str(folder / "flash"), "--speed", SPEED)
    started = start_board(workshop.dispctl, name, *options)
    with started.process, started.control:
        yield started


def board_name(request: pytest.FixtureRequest) -> str:
    """The running test's name, as a virtual board can be called."""
    return str(request.node.name).replace("[", "-").replace("]", "")[:40]


@pytest.fixture
def board(
    workshop: Workshop, provisioned_flash: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Board]:
    """The provisioned board, as it was after that."""
    with copy_of_board(workshop, provisioned_flash, tmp_path, board_name(request), MAC) as started:
        yield started


@pytest.fixture
def other_board(
    workshop: Workshop, provisioned_flash: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Board]:
    """The same flash in a board with a MAC of its own, for a test that claims it anew.

    Claiming gives a board a new token and ends its old one, which every copy of the provisioned flash has. The backend
    forgets this one at the end, so that no other test finds a second board online.
    """
    with copy_of_board(workshop, provisioned_flash, tmp_path, board_name(request), OTHER_MAC) as started:
        yield started
    workshop.forget_board(OTHER_MAC)
