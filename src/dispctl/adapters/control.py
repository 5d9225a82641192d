"""The firmware's control lines: a request down the cable, its answer picked out of the log; the program keeps running.

Everything on the port is read here. Lines that are no answers go to a callback; a line that carries a request (a
prompt's echo) goes nowhere, since a request may carry a password. No exception repeats what was asked.
"""

from __future__ import annotations

import itertools
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dispctl.adapters.port import DEFAULT_BAUD, close_port, open_port
from dispctl.errors import BoardNotFoundError, BoardRefusedError, BoardSilentError
from dispctl.firmware.control_lines import PREFIX, format_request, parse_answer
from dispctl.logs.events import read_line
from dispctl.logs.lines import LineAssembler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dispctl.adapters.port import SerialPort

ANSWER_TIMEOUT_S = 15.0
"""A blocking HTTP call on the board may hold an answer back for up to its own time-out; see docs/firmware.md."""
RESEND_AFTER_S = 2.0
UNREPEATABLE = frozenset({"reset"})
"""Never repeatable: the second copy would be obeyed again after the first."""

_PIECE_BYTES = 64
_PIECE_PAUSE_S = 0.012
"""The ESP32's receive buffer holds 260 bytes, and the firmware looks every few milliseconds: half the line's rate."""
_SEEN_LINES = 200


class ControlLine:
    """Requests to the firmware on an open port whose reads return within a fraction of a second.

    `listeners` are called with the text of every log line that comes in meanwhile; `on_line` is the first of them. The
    first request also tells the board what time it is: it needs that for certificates, and has no clock of its own.
    """

    def __init__(self, port: SerialPort, *, on_line: Callable[[str], None] | None = None) -> None:
        self._port = port
        self.listeners = [] if on_line is None else [on_line]
        self._assembler: LineAssembler[float] = LineAssembler()
        self._ids = itertools.count(random.randrange(1, 1 << 20))  # noqa: S311 - only to tell answers apart
        self._seen: list[str] = []
        self._time_told = False

    def request(
        self, op: str, *, timeout_s: float = ANSWER_TIMEOUT_S, repeatable: bool = True, **fields: Any
    ) -> dict[str, Any]:
        """The board's answer to `op` with `fields`, without its ``id`` and ``ok``; sent again while nothing comes.

        Not `repeatable` is what would do something else the second time; such a request is sent once.
        Raises BoardRefusedError with the board's own words, BoardSilentError when no answer came within `timeout_s`
        (the message says what came instead), BoardNotFoundError when the cable was lost.
        """
        number = next(self._ids)
        line = format_request(number, op, **fields, **self._time())
        self._seen.clear()
        deadline = time.monotonic() + timeout_s
        while (now := time.monotonic()) < deadline:
            self._send(line)
            patience = (
                deadline if op in UNREPEATABLE or not repeatable else min(deadline, now + RESEND_AFTER_S)
            )
            answer = self._await_answer(number, patience)
            if answer is not None:
                self._time_told = True
                return _accepted(op, answer)
        raise _silence(self._seen)

    def _time(self) -> dict[str, int]:
        return {} if self._time_told else {"utc": int(time.time())}

    def listen(self, duration_s: float) -> None:
        """Read for `duration_s` and hand the lines on; answers that nobody waits for are dropped."""
        deadline = time.monotonic() + duration_s
        while time.monotonic() < deadline:
            self._read_answers()

    def _send(self, line: str) -> None:
        # The leading line end closes whatever half a line an earlier program left on the board's side.
        data = ("\n" + line.rstrip("\n") + "\n").encode()
        try:
            for start in range(0, len(data), _PIECE_BYTES):
                self._port.write(data[start : start + _PIECE_BYTES])
                if start + _PIECE_BYTES < len(data):
                    time.sleep(_PIECE_PAUSE_S)
        except OSError as error:
            raise _cable_lost(self._port) from error

    def _await_answer(self, number: int, deadline: float) -> dict[str, Any] | None:
        """The answer to request `number`; None when none came by `deadline`, or the request arrived garbled."""
        while time.monotonic() < deadline:
            for answer in self._read_answers():
                if answer.get("id") == number:
                    return answer
                if answer.get("id") is None and not answer.get("ok"):
                    return None  # the board could not even read the number
        return None

    def _read_answers(self) -> list[dict[str, Any]]:
        answers = []
        for text in self._read_lines():
            answer = parse_answer(text)
            if answer is None:
                self._hand_on(text)
            else:
                answers.append(answer)
        return answers

    def _read_lines(self) -> list[str]:
        try:
            data = self._port.read(max(1, self._port.in_waiting))
        except OSError as error:
            raise _cable_lost(self._port) from error
        return [line.text for line in self._assembler.feed(data, 0.0)]

    def _hand_on(self, text: str) -> None:
        if not text or PREFIX.strip() in text:
            return
        self._seen = [*self._seen[-_SEEN_LINES:], text]
        for listener in self.listeners:
            listener(text)


@contextmanager
def open_control(
    port_name: str, *, baud: int = DEFAULT_BAUD, on_line: Callable[[str], None] | None = None
) -> Iterator[ControlLine]:
    """A `ControlLine` on a port opened without a reset, and closed without one; errors are those of `open_port`."""
    port = open_port(port_name, baud=baud, timeout_s=0.05)
    try:
        yield ControlLine(port, on_line=on_line)
    finally:
        close_port(port)


def _accepted(op: str, answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("ok"):
        return {name: value for name, value in answer.items() if name not in {"id", "ok"}}
    reason = answer.get("error") or "no reason given"
    raise BoardRefusedError(f"The board refused '{op}': {reason}.")


def _cable_lost(port: SerialPort) -> BoardNotFoundError:
    return BoardNotFoundError(
        f"The connection to {port.name} was lost.", hint="Plug the board in again, then repeat the command."
    )


def _silence(seen: list[str]) -> BoardSilentError:
    """Why the board did not answer, as far as what it printed instead tells."""
    events = {read_line(text).event for text in seen}
    if "flash_blank" in events:
        return BoardSilentError(
            "The board's flash is empty.", hint="Write the firmware first: dispctl flash."
        )
    if "download_mode" in events:
        return BoardSilentError(
            "The board waits in its bootloader.",
            hint="Press its reset button, or write the firmware: dispctl flash.",
        )
    if any(text.startswith(">>>") or "SyntaxError" in text for text in seen):
        return BoardSilentError(
            "The board is at a MicroPython prompt: the firmware does not run.",
            hint="Press its reset button, or write the firmware: dispctl flash.",
        )
    if seen and sum(text.count("\\x") for text in seen) * 8 > sum(map(len, seen)):
        return BoardSilentError(
            "What the board sends is not readable.", hint="Try another speed: --baud 115200."
        )
    if seen:
        return BoardSilentError(
            "The board prints its log but does not answer.",
            hint="Is dispctl's firmware on it? dispctl flash writes it.",
        )
    return BoardSilentError(
        "The board is silent.",
        hint="Check its power and that the cable carries data, then press its reset button.",
    )
