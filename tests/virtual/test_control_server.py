"""What can be asked of a running board, and what any line at all is answered with."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispctl.virtual.board import Board, State, Wiring
from dispctl.virtual.clock import BoardClock
from dispctl.virtual.control_client import ControlRefusedError, ControlUnreachableError, ask
from dispctl.virtual.control_server import Control, serve_control
from dispctl.virtual.flash import NorFlash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def with_control(flash_file: Path, scenario: Callable[[Board, Callable[..., Any], list[str]], None]) -> None:
    """Run `scenario(board, ask, stopped)` with a blank board that is on."""

    async def run() -> None:
        flash = NorFlash(flash_file)
        board = Board(Wiring(flash, BoardClock()))
        board.power_on()
        stopped: list[str] = []
        control = Control(board, lambda: stopped.append("stopped"))

        def request(op: str, **fields: Any) -> Any:
            return json.loads(control.answer(json.dumps({"op": op, **fields}).encode()))

        try:
            scenario(board, request, stopped)
        finally:
            board.power_off()
            flash.close()

    asyncio.run(run())


def test_each_operation_does_what_it_says(tmp_path: Path) -> None:
    def scenario(board: Board, request: Callable[..., Any], stopped: list[str]) -> None:
        assert request("power", action="off")["ok"]
        assert board.state is State.OFF
        assert request("reset") == {"ok": False, "error": "The board is off."}
        assert request("power", action="cycle")["ok"]
        assert request("reset", cause="panic")["ok"]
        assert request("status")["state"] == "no program"
        assert request("wifi", on=False)["ok"]
        assert request("status")["wifi"] == {"on_air": False, "joined": False}
        board.hardware.jars.drive(1, "relay", is_open=True)
        board.hardware.jars.drive(1, "relay", is_open=False)
        assert len(request("doses", clear=True)["jars"][0]["openings"]) == 1
        assert request("doses")["jars"][0]["openings"] == []
        assert request("cut_at", operations=3, torn=True) == {"ok": True, "at": 3}
        assert request("stop")["ok"]
        assert stopped == ["stopped"]

    with_control(tmp_path / "flash", scenario)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"op": "explode"},
        {"op": "power"},
        {"op": "power", "action": "up"},
        {"op": "reset", "cause": "mood"},
        {"op": "wifi", "on": "yes"},
        {"op": "cut_at", "operations": 0},
        {"op": "cut_at", "operations": "3"},
        {"op": "cut_at", "operations": 3, "seed": "x"},
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(tmp_path: Path, request_: dict[str, Any]) -> None:
    def scenario(board: Board, request: Callable[..., Any], _stopped: list[str]) -> None:
        answer = request(**{"op": None, **request_})
        assert answer["ok"] is False
        assert answer["error"].endswith(".")
        assert board.state is State.NO_PROGRAM

    with_control(tmp_path / "flash", scenario)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


def test_any_line_is_answered(tmp_path: Path) -> None:
    operations = st.sampled_from(["status", "wifi", "reset", "power", "cut_at", "doses", "", "x"])
    fields = st.dictionaries(
        st.sampled_from(["on", "cause", "action", "operations", "torn", "seed", "clear"]), json_values
    )
    lines = st.binary(max_size=50) | st.builds(
        lambda op, rest: json.dumps({"op": op, **rest}).encode(), operations, fields
    )

    async def run() -> None:
        flash = NorFlash(tmp_path / "flash")
        control = Control(Board(Wiring(flash, BoardClock())), lambda: None)

        @settings(max_examples=200)
        @given(lines)
        def answered(line: bytes) -> None:
            assert json.loads(control.answer(line))["ok"] in (True, False)

        answered()
        flash.close()

    asyncio.run(run())


def test_a_client_asks_over_tcp(tmp_path: Path) -> None:
    async def run() -> None:
        flash = NorFlash(tmp_path / "flash")
        server = await serve_control(Control(Board(Wiring(flash, BoardClock())), lambda: None))
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        status = await asyncio.to_thread(ask, address, "status")
        assert status["state"] == "off"
        with pytest.raises(ControlRefusedError, match="no operation"):
            await asyncio.to_thread(ask, address, "explode")
        server.close()
        await server.wait_closed()
        with pytest.raises(ControlUnreachableError):
            await asyncio.to_thread(ask, address, "status")
        flash.close()

    asyncio.run(run())
