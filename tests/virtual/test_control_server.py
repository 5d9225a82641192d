"""What can be asked of a running board, and what any line at all is answered with."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispctl.virtual.board import Board, State, Wiring
from dispctl.virtual.bridge import Bridge
from dispctl.virtual.clock import BoardClock
from dispctl.virtual.control_client import ControlRefusedError, ControlUnreachableError, ask
from dispctl.virtual.control_server import MAX_LINE_BYTES, Control, serve_control
from dispctl.virtual.flash import NorFlash

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Desk:
    """A blank board that is on, its cable, and what is asked of both."""

    def __init__(self, flash: NorFlash) -> None:
        self.board = Board(Wiring(flash, BoardClock()))
        self.bridge = Bridge(self.board, pacing=False)
        self.stopped: list[str] = []
        self.control = Control(self.board, self.bridge, lambda: self.stopped.append("stopped"))

    async def ask(self, op: str | None, **fields: Any) -> Any:
        return json.loads(await self.control.answer(json.dumps({"op": op, **fields}).encode()))


@asynccontextmanager
async def desk(flash_file: Path) -> AsyncIterator[Desk]:
    """A desk until the end of the block; what it is asked for is done in this loop."""
    with closing(NorFlash(flash_file)) as flash:
        made = Desk(flash)
        await made.bridge.plug_in()
        made.board.power_on()
        yield made
        made.board.power_off()
        await made.bridge.unplug()


def test_each_operation_does_what_it_says(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with desk(tmp_path / "flash") as made:
            board, ask_for = made.board, made.ask
            assert (await ask_for("power", action="off"))["ok"]
            assert board.state is State.OFF
            assert await ask_for("reset") == {"ok": False, "error": "The board is off."}
            assert (await ask_for("power", action="cycle"))["ok"]
            assert (await ask_for("reset", cause="panic"))["ok"]
            assert (await ask_for("status"))["state"] == "no program"
            assert (await ask_for("wifi", on=False))["ok"]
            assert (await ask_for("status"))["wifi"] == {"on_air": False, "dhcp": True, "joined": False}
            assert (await ask_for("wifi", on=True, dhcp=False))["ok"]
            assert (await ask_for("status"))["wifi"] == {"on_air": True, "dhcp": False, "joined": False}
            board.hardware.jars.drive(1, "relay", is_open=True)
            board.hardware.jars.drive(1, "relay", is_open=False)
            assert len((await ask_for("doses", clear=True))["jars"][0]["openings"]) == 1
            assert (await ask_for("doses"))["jars"][0]["openings"] == []
            assert await ask_for("cut_at", operations=3, torn=True) == {"ok": True, "at": 3}
            assert (await ask_for("stop"))["ok"]
            assert made.stopped == ["stopped"]

    asyncio.run(scenario())


def test_a_reset_with_boot_held_waits_for_a_download(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with desk(tmp_path / "flash") as made:
            assert (await made.ask("reset", download=True))["ok"]
            assert made.board.state is State.DOWNLOAD
            assert (await made.ask("reset"))["ok"]
            assert (await made.ask("status"))["state"] == "no program"
            made.board.set_lines(dtr=False, rts=True)
            assert "holds the board" in (await made.ask("reset", download=True))["error"]

    asyncio.run(scenario())


def test_actuators_stick_and_the_line_is_disturbed_as_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with desk(tmp_path / "flash") as made:
            for stuck, is_open in (("open", True), ("closed", False), (None, False)):
                assert (await made.ask("actuator", jar=2, stuck=stuck))["ok"]
                jar = (await made.ask("doses"))["jars"][1]
                assert (jar["stuck"], jar["open"]) == (stuck, is_open)
            assert (await made.ask("noise", rate=0.25, seed=3))["ok"]
            assert (await made.ask("status"))["noise"] == 0.25

    asyncio.run(scenario())


@pytest.mark.parametrize("keep_power", [False, True])
def test_the_cable_is_pulled_and_plugged_in_again(tmp_path: Path, *, keep_power: bool) -> None:
    async def scenario() -> None:
        async with desk(tmp_path / "flash") as made:
            for _ in range(2):
                assert (await made.ask("cable", action="unplug", keep_power=keep_power))["ok"]
            status = await made.ask("status")
            assert status["plugged"] is False
            assert status["state"] == ("no program" if keep_power else "off")
            for _ in range(2):
                assert (await made.ask("cable", action="plug"))["ok"]
            status = await made.ask("status")
            assert (status["plugged"], status["state"]) == (True, "no program")

    asyncio.run(scenario())


def test_a_cable_whose_port_was_taken_meanwhile_stays_unplugged(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with desk(tmp_path / "flash") as made:
            port = int(made.bridge.url.rpartition(":")[2])
            await made.ask("cable", action="unplug")
            with socket.create_server(("127.0.0.1", port)):
                answer = await made.ask("cable", action="plug")
            assert answer == {"ok": False, "error": f"TCP port {port} is taken. The cable stays unplugged."}
            assert (await made.ask("status"))["state"] == "off"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"op": "explode"},
        {"op": "power"},
        {"op": "power", "action": "up"},
        {"op": "reset", "cause": "mood"},
        {"op": "reset", "cause": "wdt", "download": True},
        {"op": "wifi", "on": "yes"},
        {"op": "wifi", "on": True, "dhcp": 0},
        {"op": "cut_at", "operations": 0},
        {"op": "cut_at", "operations": "3"},
        {"op": "cut_at", "operations": 3, "seed": "x"},
        {"op": "actuator", "jar": 5, "stuck": "open"},
        {"op": "actuator", "jar": 1, "stuck": "ajar"},
        {"op": "noise", "rate": 1.5},
        {"op": "noise", "rate": 0.1, "seed": "x"},
        {"op": "cable", "action": "chew"},
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(tmp_path: Path, request_: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with desk(tmp_path / "flash") as made:
            answer = await made.ask(**{"op": None, **request_})
            assert answer["ok"] is False
            assert answer["error"].endswith(".")
            assert made.board.state is State.NO_PROGRAM

    asyncio.run(scenario())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


def test_any_line_is_answered(tmp_path: Path) -> None:
    operations = st.sampled_from(
        ["status", "wifi", "reset", "power", "cut_at", "doses", "actuator", "noise", "cable", "", "x"]
    )
    fields = st.dictionaries(
        st.sampled_from(
            ["on", "cause", "action", "operations", "torn", "seed", "clear", "jar", "stuck", "rate", "dhcp"]
        ),
        json_values,
    )
    lines = st.binary(max_size=50) | st.builds(
        lambda op, rest: json.dumps({"op": op, **rest}).encode(), operations, fields
    )
    loop = asyncio.new_event_loop()

    async def make() -> Control:
        board = Board(Wiring(flash, BoardClock()))
        return Control(board, Bridge(board, pacing=False), lambda: None)

    with closing(loop), closing(NorFlash(tmp_path / "flash")) as flash:
        control = loop.run_until_complete(make())

        @settings(max_examples=200)
        @given(lines)
        def answered(line: bytes) -> None:
            answer = loop.run_until_complete(control.answer(line))
            assert json.loads(answer)["ok"] in (True, False)

        answered()


def test_a_client_asks_over_tcp(tmp_path: Path) -> None:
    async def run() -> None:
        async with desk(tmp_path / "flash") as made:
            server = await serve_control(made.control)
            address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            status = await asyncio.to_thread(ask, address, "status")
            assert status["state"] == "no program"
            with pytest.raises(ControlRefusedError, match="no operation"):
                await asyncio.to_thread(ask, address, "explode")
            with pytest.raises(ControlUnreachableError):
                await asyncio.to_thread(ask, address, "x" * (MAX_LINE_BYTES + 1))
            server.close()
            await server.wait_closed()
            with pytest.raises(ControlUnreachableError):
                await asyncio.to_thread(ask, address, "status")

    asyncio.run(run())
