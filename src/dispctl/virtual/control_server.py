"""Faults and questions to a running board: one JSON object a line over TCP, one answer a line; the only JSON here.

A request is ``{"op": NAME, …}``; the answer ``{"ok": true, …}`` or ``{"ok": false, "error": SENTENCE}``.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

from dispctl.virtual.board import Board, Cause, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_LINE_BYTES = 1 << 16
RESET_CAUSES = {"en": Cause.EN, "wdt": Cause.WATCHDOG, "panic": Cause.PANIC}


class RequestError(Exception):
    """The request cannot be meant; the message is the answer."""


class Control:
    """What can be asked of `board`; `stop` ends the process it lives in."""

    def __init__(self, board: Board, stop: Callable[[], None]) -> None:
        self._board = board
        self._stop = stop
        self._operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any] | None]] = {
            "status": self._status,
            "wifi": self._wifi,
            "reset": self._reset,
            "power": self._power,
            "cut_at": self._cut_at,
            "doses": self._doses,
            "stop": self._end,
        }

    def answer(self, line: bytes) -> bytes:
        """The answer to one request, both with their line feed."""
        try:
            answer = {"ok": True, **self._perform(_parse(line))}
        except RequestError as error:
            answer = {"ok": False, "error": str(error)}
        return json.dumps(answer).encode() + b"\n"

    def _perform(self, request: Mapping[str, Any]) -> dict[str, Any]:
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
            "wifi": {"on_air": board.radio.on_air, "joined": board.radio.link_up},
            "flash": {
                "file": str(flash.path),
                "operations": flash.operations,
                "erases": flash.erases,
                "programmed_bytes": flash.programmed_bytes,
            },
        }

    def _wifi(self, request: Mapping[str, Any]) -> None:
        self._board.radio.set_on_air(_boolean(request, "on"))

    def _reset(self, request: Mapping[str, Any]) -> None:
        cause = RESET_CAUSES.get(str(request.get("cause", "en")))
        if cause is None:
            raise RequestError(f"A reset's cause is one of {', '.join(RESET_CAUSES)}.")
        if self._board.state is State.OFF:
            raise RequestError("The board is off.")
        self._board.reset(cause)

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

    def _end(self, _request: Mapping[str, Any]) -> None:
        self._stop()


async def serve_control(control: Control, host: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
    """Listen for requests to `control`; raises OSError if the port is taken."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Client(control), host, port)


class _Client(asyncio.Protocol):
    """One connection: lines in, answers out."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._transport.write(self._control.answer(line))
        if len(self._received) > MAX_LINE_BYTES:
            self._transport.abort()


def _parse(line: bytes) -> Mapping[str, Any]:
    try:
        request = json.loads(line)
    except ValueError as error:
        raise RequestError("The request is not JSON.") from error
    if not isinstance(request, dict):
        raise RequestError("The request is not a JSON object.")
    return request


def _boolean(request: Mapping[str, Any], name: str) -> bool:
    value = request.get(name, False)
    if not isinstance(value, bool):
        raise RequestError(f"{name} is true or false.")
    return value
