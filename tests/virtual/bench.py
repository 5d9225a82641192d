"""A whole board on the bench, in the test's own event loop: typed to and read from without sockets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dispctl.virtual import esp_image
from dispctl.virtual.board import Board, Wiring
from dispctl.virtual.clock import BoardClock
from dispctl.virtual.flash import NorFlash

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from dispctl.virtual.flash_timing import FlashTiming

DEADLINE_S = 20.0
PROMPT = b">>> "


class Bench:
    """A board and what its UART has sent: all of it in `sent`, what no `until` has passed yet in `unread`."""

    def __init__(self, wiring: Wiring) -> None:
        self.board_baud: int | None = None
        self.sent = b""
        self.unread = b""
        self._grown = asyncio.Event()
        self.board = Board(wiring)
        self.board.attach(self)

    def send(self, data: bytes) -> None:
        """Take what the board sends: this is its cable."""
        self.sent += data
        self.unread += data
        self._grown.set()

    def type(self, data: bytes | str) -> None:
        """Send to the board's UART."""
        self.board.receive(data.encode() if isinstance(data, str) else data)

    async def until(self, text: bytes | str, within_s: float = DEADLINE_S) -> str:
        """What the board sends up to and with `text`."""
        wanted = text.encode() if isinstance(text, str) else text
        await self.wait_for(lambda: wanted in self.unread, within_s, f"no {wanted!r} in")
        end = self.unread.index(wanted) + len(wanted)
        passed, self.unread = self.unread[:end], self.unread[end:]
        return passed.decode("utf-8", "replace")

    async def wait_for(
        self, condition: Callable[[], bool], within_s: float = DEADLINE_S, what: str = ""
    ) -> None:
        """Until `condition`, which is tried whenever the board sends something and every 10 ms."""
        deadline = asyncio.get_running_loop().time() + within_s
        while not condition():
            left_s = deadline - asyncio.get_running_loop().time()
            assert left_s > 0, f"{what} {self.unread[-2000:]!r}; the board is {self.board.state.value}"
            self._grown.clear()
            try:
                await asyncio.wait_for(self._grown.wait(), min(left_s, 0.01))
            except asyncio.TimeoutError:
                continue

    async def run(self, source: str) -> str:
        """What a program prints, run through the raw REPL; its traceback too."""
        self.type(b"\r\x03\x01")
        await self.until("raw REPL; CTRL-B to exit\r\n>")
        self.type(source.encode() + b"\x04")
        await self.until("OK")
        printed = (await self.until("\x04"))[:-1]
        failure = (await self.until("\x04"))[:-1]
        self.type(b"\x02")
        await self.until(PROMPT)
        return printed + failure

    async def write(self, path: str, text: str) -> None:
        """Put a file on the board."""
        printed = await self.run(f"with open({path!r}, 'w') as file: file.write({text!r})")
        assert printed == "", printed

    def jar(self, number: int) -> dict[str, Any]:
        """What the ground truth says of a jar."""
        found: dict[str, Any] = self.board.hardware.jars.report()["jars"][number - 1]
        return found


@asynccontextmanager
async def bench(
    flash_file: Path,
    *,
    speed: float = 1.0,
    blank: bool = False,
    timing: FlashTiming | None = None,
    **wiring: Any,
) -> AsyncIterator[Bench]:
    """A board with its power on and MicroPython in its flash, unless `blank`; waited for until its first prompt."""
    flash = NorFlash(flash_file, timing=timing)
    if not blank and flash.read(esp_image.IMAGE_OFFSET, 1) == b"\xff":
        flash.program(esp_image.IMAGE_OFFSET, esp_image.build_image())
    made = Bench(replace(Wiring(flash, BoardClock(speed), paced=False), **wiring))
    made.board.power_on()
    try:
        if not blank:
            await made.until(PROMPT)
        yield made
    finally:
        made.board.power_off()
        flash.close()
