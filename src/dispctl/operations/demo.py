"""Everything at once on this machine: a backend, a blank board, a job, a power cut in the third jar, the proof.

The board and the backend are processes of this program, met over the cable and HTTP; every step is the operation behind
the command that a person would type. Prints nothing.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from dispctl.adapters.backend_client import BackendClient
from dispctl.adapters.backend_records import Ingredient, Jar, RecipeDraft
from dispctl.adapters.backups import Backups
from dispctl.adapters.companion import Companion, ask
from dispctl.adapters.control import open_control
from dispctl.adapters.job_journal import JobJournal, JobOrder
from dispctl.adapters.port_reader import read_port
from dispctl.adapters.simulator import Simulator
from dispctl.errors import DeadlineError
from dispctl.operations import flash, inspect_flash, provision, send_job
from dispctl.operations.demo_events import Proved, StageBegun, Told
from dispctl.operations.demo_proof import Asked, Outcome, prove
from dispctl.operations.monitor import Attached, EndCondition, LineSeen, monitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dispctl.operations.demo_events import DemoEvent


SPICES = ("Sal", "Pimenta", "Cominho", "Orégano")
RATE_G_PER_S, STOCK_G, DOSE_G = 2.0, 100.0, 10.0
CUT_JAR = 3
ASKED = Asked(len(SPICES), DOSE_G, RATE_G_PER_S, STOCK_G - DOSE_G, CUT_JAR)
SPEED = 4
"""Board time over real time: a jar stays open for 1.25 s, long enough to pull the plug in its middle."""
SSID, WIFI_PASSWORD = "Cozinha", "tempero123"
OPERATOR = "demo"
LIMIT_S = 60.0
LONGEST_WAIT_S = 25.0
_LOOK_INTERVAL_S = 0.02


def demo(folder: Path, database: str | None = None) -> Iterator[DemoEvent]:
    """Play the whole story with its files in `folder`; the last event is `Proved`.

    The backend keeps its data in a file there or in `database` (a URL as ``backend serve`` takes it), where they stay.
    Raises DeadlineError when it takes longer than `LIMIT_S`, and whatever a stage raises; nothing stays running.
    """
    with ExitStack() as stack:
        story = _Story(folder, stack, database or f"sqlite:///{folder / 'backend.db'}")
        for stage in (
            story.begin_backend,
            story.flash_board,
            story.provision_board,
            story.send,
            story.cut,
            story.resume,
        ):
            for event in stage():
                left_s = time.monotonic()
                yield event
                story.leave_out(time.monotonic() - left_s)
                story.require_time()
        yield story.prove()


class _Story:
    def __init__(self, folder: Path, stack: ExitStack, database: str) -> None:
        self._folder = folder
        self._stack = stack
        self._database = database
        # Others may have played the story in this database.
        self._operator = f"{OPERATOR} {secrets.token_hex(4)}"
        self._began_s = time.monotonic()
        self._job_id = 0
        self._name = f"demo-{os.getpid()}"
        self._port = f"sim:{self._name}"
        self._backups = Backups(folder / "backups")
        self._client: BackendClient
        self._simulator: Simulator

    def leave_out(self, seconds: float) -> None:
        """Do not count time that whoever looks at an event takes for it."""
        self._began_s += seconds

    def require_time(self) -> None:
        if time.monotonic() - self._began_s > LIMIT_S:
            raise DeadlineError(
                f"The demo did not end within {LIMIT_S:.0f} s.", hint="Is the machine very busy? Try again."
            )

    def begin_backend(self) -> Iterator[DemoEvent]:
        yield StageBegun(1, "A backend with four jars", "dispctl backend serve")
        secret_file, password = self._folder / "secret", secrets.token_hex()
        secret_file.touch(mode=0o600)
        secret_file.write_text(secrets.token_hex())
        options = ("--port", "0", "--database", self._database, "--secret-file", str(secret_file))
        server = self._stack.enter_context(Companion("backend", "serve", *options, "--json"))
        self._client = self._stack.enter_context(BackendClient(server.ready["backend"]))
        self._client.register(self._operator, password)
        self._client.login(self._operator, password)
        jars = [Jar(n, spice, RATE_G_PER_S, STOCK_G) for n, spice in enumerate(SPICES, start=1)]
        self._client.set_jars(jars)
        yield Told(
            f"{self._client.base_url} serves {', '.join(SPICES)}: {STOCK_G:g} g each, {RATE_G_PER_S:g} g/s."
        )

    def flash_board(self) -> Iterator[DemoEvent]:
        yield StageBegun(
            2, "A blank board gets MicroPython and the firmware", "dispctl flash --micropython FILE"
        )
        image, flash_file = self._folder / "micropython.bin", self._folder / "board.flash"
        ask("sim", "image", str(image))
        options = (
            "--name",
            self._name,
            "--rfc2217-port",
            "0",
            "--no-pacing",
            "--speed",
            str(SPEED),
            "--flash",
            str(flash_file),
        )
        board = self._stack.enter_context(Companion("sim", "run", "--json", *options))
        self._simulator = self._stack.enter_context(Simulator(board.ready["control"]))
        yield Told(
            f"A blank ESP32 answers at {board.ready['cable']}; its clock runs {SPEED} times faster than yours."
        )
        yield from flash.flash(flash.Request(self._port, image), self._backups)

    def provision_board(self) -> Iterator[DemoEvent]:
        yield StageBegun(
            3, "Wi-Fi, backend address and claim over the cable", f"dispctl provision --ssid {SSID}"
        )
        wifi = provision.WifiCredentials(SSID, WIFI_PASSWORD)
        access = provision.BackendAccess(self._client.base_url)
        with open_control(self._port) as control:
            yield from provision.provision(
                control,
                wifi,
                access,
                claim_code=lambda: self._client.new_claim_code().code,
                is_online=lambda uid: any(d.uid == uid and d.online for d in self._client.devices()),
            )

    def send(self) -> Iterator[DemoEvent]:
        yield StageBegun(4, f"A job: {DOSE_G:g} g from each jar", "dispctl send-job Demo")
        draft = RecipeDraft("Demo", 1, tuple(Ingredient(spice, DOSE_G) for spice in SPICES))
        recipe = self._client.create_recipe(draft)
        order = JobOrder(recipe.id, 1)
        journal = JobJournal(self._folder / "jobs.json", self._operator)
        for event in send_job.send_job(self._client, order, journal):
            if isinstance(event, send_job.Sent):
                self._job_id = event.job.id
        yield Told(f"Job {self._job_id} is in the backend, which hands it to the board.")
        yield from self._follow(rf"Item {CUT_JAR}/{len(SPICES)}")

    def cut(self) -> Iterator[DemoEvent]:
        yield StageBegun(
            5,
            "The power goes while the third jar is open, and the router with it",
            "dispctl sim power cycle",
            can_wait=False,
        )
        self._await_half_dose()
        self._simulator.request("power", action="off")
        self._simulator.request("wifi", on=False)
        yield Told(self._state_of_jar())
        yield from self._follow("será retomado ao conectar", once_attached={"op": "power", "action": "on"})
        request = inspect_flash.Request(port=self._port, via="control")
        for event in inspect_flash.inspect_flash(request, self._backups):
            if isinstance(event, inspect_flash.Inspected):
                yield event

    def resume(self) -> Iterator[DemoEvent]:
        yield StageBegun(
            6,
            "The network is back: the board pours what is missing and reports",
            "dispctl monitor --until-job-done",
        )
        yield from self._follow(None, once_attached={"op": "wifi", "on": True})

    def prove(self) -> Proved:
        saved = inspect_flash.inspect_flash(
            inspect_flash.Request(port=self._port, via="control"), self._backups
        )
        views = [event.view for event in saved if isinstance(event, inspect_flash.Inspected)]
        outcome = Outcome(
            self._client.job(self._job_id), self._client.jars(), self._simulator.doses(), views[-1]["job_id"]
        )
        comparisons = prove(outcome, ASKED)
        return Proved(comparisons, time.monotonic() - self._began_s)

    def _follow(self, until: str | None, once_attached: dict[str, Any] | None = None) -> Iterator[DemoEvent]:
        """The board's log until a line matches `until`, or until the job is done; nothing is missed after attaching."""
        pattern = re.compile(until) if until else None
        end = EndCondition(until=pattern, until_job_done=until is None, timeout_s=LONGEST_WAIT_S)
        for event in monitor(read_port(self._port), end):
            if isinstance(event, Attached) and once_attached:
                self._simulator.request(**once_attached)
            if isinstance(event, LineSeen):
                yield event

    def _await_half_dose(self) -> None:
        deadline = time.monotonic() + LONGEST_WAIT_S
        while time.monotonic() < deadline:
            doses = self._simulator.doses()
            openings = doses["jars"][CUT_JAR - 1]["openings"]
            if openings and doses["now_ms"] - openings[-1]["opened_ms"] >= ASKED.open_ms * 0.4:
                return
            time.sleep(_LOOK_INTERVAL_S)
        raise DeadlineError(f"Jar {CUT_JAR} did not open within {LONGEST_WAIT_S:.0f} s.")

    def _state_of_jar(self) -> str:
        jar = self._simulator.doses()["jars"][CUT_JAR - 1]
        return f"Jar {CUT_JAR} was open for {jar['total_ms'] / 1000:.2f} s of {ASKED.open_ms / 1000:g} s when the power went."
