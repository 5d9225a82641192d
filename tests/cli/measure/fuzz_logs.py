"""Streams that no board would print: whatever comes, the monitor shows it and goes on.

    python -m tests.cli.measure.fuzz_logs [--streams 20000] [--seed 1]

Each stream is pieces of real sessions, cut, doubled and mangled, with noise, broken UTF-8, Improv frames and lines
without an end; it goes through the text view (folding tracebacks, a foot, the filter) and the JSON view. Ends with 1 at
the first stream that raises, and prints its seed.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
from contextlib import redirect_stdout
from pathlib import Path

from rich.console import Console as RichConsole

from dispctl.adapters.port_reader import Closed, Moment, Opened, PortItem, Quiet, Received
from dispctl.cli.console import Console
from dispctl.cli.foot import Foot
from dispctl.cli.log_json import JsonView
from dispctl.cli.log_view import LogView
from dispctl.cli.monitor_view import MonitorView
from dispctl.firmware.control_lines import parse_answer
from dispctl.firmware.improv import format_frame
from dispctl.logs.filter import LineFilter
from dispctl.operations.monitor import LineSeen, monitor

SESSION = (Path(__file__).parents[2] / "golden" / "monitor" / "session.log").read_bytes()
TRACEBACK = (
    b'Traceback (most recent call last):\r\n  File "main.py", line 1, in <module>\r\n'
    b'  File "/firmware/pour.py", line 60, in run\r\n  File "firmware/none.py", line 999999999, in x\r\nOSError: 5\r\n'
)
LINES = [*SESSION.splitlines(keepends=True), *TRACEBACK.splitlines(keepends=True), TRACEBACK]
NUMBERS = (b"0", b"-1", b"999999999", b"9999999999999999999999", b"1e999", b"\xd9\xa3", b"")


def stream(seed: int) -> list[PortItem]:
    """What a port might deliver, told by `seed`."""
    chance = random.Random(seed)
    data = b"".join(piece(chance) for _ in range(chance.randrange(1, 25)))
    items: list[PortItem] = [Opened(moment(0), again=False, port="p")]
    begin = 0
    while begin < len(data):
        end = begin + chance.randrange(1, 200)
        items.append(Received(moment(len(items)), data[begin:end]))
        begin = end
        if chance.random() < 0.05:
            items.append(Quiet(moment(len(items) + 1)))
        if chance.random() < 0.02:
            items += [
                Closed(moment(len(items)), "gone"),
                Opened(moment(len(items) + 1), again=True, port="p"),
            ]
    return items


def moment(number: int) -> Moment:
    """Some time after the beginning."""
    return Moment(100 + number * 0.4, 1_700_000_000 + number * 0.4)


def piece(chance: random.Random) -> bytes:
    """A line, or what a bad cable makes of one."""
    kind = chance.randrange(8)
    line = bytearray(chance.choice(LINES))
    if kind == 0:
        return chance.randbytes(chance.randrange(200))
    if kind == 1:
        return b"x" * chance.randrange(20_000)
    if kind == 2:
        return format_frame(chance.randrange(256), chance.randbytes(chance.randrange(256)))
    if kind == 3 and line:
        line[chance.randrange(len(line))] = chance.randrange(256)
    if kind == 4:
        del line[chance.randrange(len(line) + 1) :]
    if kind == 5:
        digits = [index for index, byte in enumerate(line) if 0x30 <= byte <= 0x39]
        if digits:
            line[digits[0] : digits[0] + 1] = chance.choice(NUMBERS)
    return bytes(line)


def told_of(_words: str) -> None:
    """What is told on standard error is nothing to look at here."""


def show(items: list[PortItem]) -> int:
    """Take a stream through both views and the control lines' reader; returns how many lines there were."""
    out = io.StringIO()
    terminal = RichConsole(
        file=out, force_terminal=True, color_system="standard", markup=False, highlight=False
    )
    view = LogView(terminal, time_format="%H:%M:%S.%f", foot=Foot(terminal), editing=len(items) % 2 == 0)
    shown = MonitorView(view, LineFilter(), [""], fold=True, tell=told_of)
    told = io.StringIO()
    lines = 0
    with redirect_stdout(told):
        written = JsonView(Console(json=True), LineFilter(control_lines=True))
        for event in monitor(items):
            shown.show("", event)
            shown.settle()
            written.show("", event)
            if isinstance(event, LineSeen):
                parse_answer(event.text)
                lines += 1
        shown.close()
    for line in told.getvalue().split("\n")[:-1]:
        json.loads(line)
    return lines


def main() -> None:
    """Show many streams."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    lines = 0
    for seed in range(wanted.seed, wanted.seed + wanted.streams):
        try:
            lines += show(stream(seed))
        except Exception:
            print(f"stream {seed} made it fail", file=sys.stderr)
            raise
    print(f"{wanted.streams} streams, {lines} lines, no failure")


if __name__ == "__main__":
    main()
