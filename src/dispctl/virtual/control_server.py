"""Faults and questions to a running board: one JSON object a line over TCP, one answer a line; the only JSON here.

A request is ``{"op": NAME, …}``; the answer ``{"ok": true, …}`` or ``{"ok": false, "error": SENTENCE}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from dispctl.virtual.board import Board, Cause, State
from dispctl.virtual.bridge import Bridge, PortTakenError
from dispctl.virtual.jars import JARS, Stuck

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_LINE_BYTES = 1 << 16
RESET_CAUSES = {"en": Cause.EN, "wdt": Cause.WATCHDOG, "panic": Cause.PANIC}


class RequestError(Exception):
    """The request cannot be meant; the message is the answer."""


class Control:
    """What can be asked of `board` and of `bridge`, its cable; `stop` ends the process it lives in."""

    def __init__(self, board: Board, bridge: Bridge, stop: Callable[[], None]) -> None:
        self._board = board
        self._bridge = bridge
        self._stop = stop
        self._operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
            "status": self._status,
            "wifi": self._wifi,
            "reset": self._reset,
            "power": self._power,
            "cut_at": self._cut_at,
            "doses": self._doses,
            "actuator": self._stick,
            "noise": self._disturb,
            "stop": self._end,
        }

    async def answer(self, line: bytes) -> bytes:
        """The answer to one request, both with their line feed."""
        try:
            answer = {"ok": True, **await self._perform(_parse(line))}
        except RequestError as error:
            answer = {"ok": False, "error": str(error)}
        return json.dumps(answer).encode() + b"\n"

    async def _perform(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if request.get("op") == "cable":
            await self._plug(request)
            return {}
        operation = self._operations.get(str(request.get("op")))
        if operation is None:
            raise RequestError(f"There is no operation {request.get('op')!r}.")
        return operation(request) or {}

    def _status(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        board, flash = self._board, self._board.flash
        return {
            "state": board.state.value,
            "speed": board.clock.speed,
            "now_ms": board.clock.now_ms(),
            "plugged": self._bridge.plugged,
            "noise": self._bridge.noise.rate,
            "wifi": {
                "on_air": board.radio.on_air,
                "dhcp": board.radio.dhcp,
                "joined": board.radio.link_up,
            },
            "flash": {
                "file": str(flash.path),
                "operations": flash.operations,
                "erases": flash.erases,
                "programmed_bytes": flash.programmed_bytes,
            },
        }

    def _wifi(self, request: Mapping[str, Any]) -> None:
        """``on``: the access points send; ``dhcp`` (true if left out): they hand out addresses."""
        self._board.radio.set_dhcp(_boolean(request, "dhcp", default=True))
        self._board.radio.set_on_air(_boolean(request, "on"))

    def _reset(self, request: Mapping[str, Any]) -> None:
        cause = RESET_CAUSES.get(str(request.get("cause", "en")))
        if cause is None:
            raise RequestError(f"A reset's cause is one of {', '.join(RESET_CAUSES)}.")
        download = _boolean(request, "download")
        if download and cause is not Cause.EN:
            raise RequestError("Only a reset by EN can lead to download mode.")
        if self._board.state is State.OFF:
            raise RequestError("The board is off.")
        if self._board.state is State.IN_RESET:
            raise RequestError("The cable holds the board in reset.")
        self._board.reset(cause, boot_button=download)

    def _power(self, request: Mapping[str, Any]) -> None:
        action = request.get("action")
        if action not in ("on", "off", "cycle"):
            raise RequestError("The power is switched on, off or cycle.")
        if action != "on":
            self._board.power_off()
        if action != "off":
            self._board.power_on()

    def _cut_at(self, request: Mapping[str, Any]) -> dict[str, Any]:
        count, seed = request.get("operations"), request.get("seed", 0)
        if not isinstance(count, int) or count < 1:
            raise RequestError("The power is cut at the 1st or a later flash operation from now.")
        if not isinstance(seed, int):
            raise RequestError("seed is a whole number.")
        flash = self._board.flash
        flash.cut_at(flash.operations + count, torn=_boolean(request, "torn"), seed=seed)
        return {"at": flash.operations + count}

    def _doses(self, request: Mapping[str, Any]) -> dict[str, Any]:
        report = self._board.hardware.jars.report()
        if request.get("clear"):
            self._board.hardware.jars.forget()
        return report

    def _stick(self, request: Mapping[str, Any]) -> None:
        """``jar`` and ``stuck``: "open", "closed" or null for an actuator that moves again."""
        jar, stuck = request.get("jar"), request.get("stuck")
        if not isinstance(jar, int) or isinstance(jar, bool) or not 1 <= jar <= JARS:
            raise RequestError(f"A jar is one of 1 to {JARS}.")
        if stuck is not None and stuck not in list(Stuck):
            raise RequestError("An actuator is stuck open or closed.")
        self._board.hardware.jars.stick(jar, None if stuck is None else Stuck(stuck))

    def _disturb(self, request: Mapping[str, Any]) -> None:
        """``rate`` 0 to 1, ``seed``: how many of the line's bytes are disturbed, and which."""
        rate, seed = request.get("rate"), request.get("seed", 0)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise RequestError("The rate of noise is a number from 0 to 1.")
        if not isinstance(seed, int):
            raise RequestError("seed is a whole number.")
        self._bridge.noise.set(float(rate), seed)

    async def _plug(self, request: Mapping[str, Any]) -> None:
        """``action``: "plug", or "unplug" with ``keep_power``."""
        action = request.get("action")
        if action not in ("plug", "unplug"):
            raise RequestError("The cable is plugged or unplugged: action is plug or unplug.")
        if action == "unplug":
            await self._bridge.unplug(keep_power=_boolean(request, "keep_power"))
            return
        try:
            await self._bridge.plug_in()
        except PortTakenError as error:
            raise RequestError(f"{error} The cable stays unplugged.") from error

    def _end(self, _request: Mapping[str, Any]) -> None:
        self._stop()


async def serve_control(control: Control, host: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
    """Listen for requests to `control`; raises OSError if the port is taken."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, ValueError):  # a line too long
            while line := await reader.readline():
                writer.write(await control.answer(line))

    return await asyncio.start_server(serve, host, port, limit=MAX_LINE_BYTES)


def _parse(line: bytes) -> Mapping[str, Any]:
    try:
        request = json.loads(line)
    except ValueError as error:
        raise RequestError("The request is not JSON.") from error
    if not isinstance(request, dict):
        raise RequestError("The request is not a JSON object.")
    return request


def _boolean(request: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    value = request.get(name, default)
    if not isinstance(value, bool):
        raise RequestError(f"{name} is true or false.")
    return value
