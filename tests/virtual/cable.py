"""A virtual cable with something at its end, served from a thread of its own: what blocking clients are tried on."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from dispctl.virtual import boot_text
from dispctl.virtual.flash import PowerCutError
from dispctl.virtual.reset_circuit import ResetCircuit, Strapping
from dispctl.virtual.rfc2217 import Rfc2217Server
from dispctl.virtual.rom_loader import RomLoader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dispctl.virtual.flash import NorFlash

T = TypeVar("T")
MAC = bytes.fromhex("246f28aabbcc")
START_TIMEOUT_S = 30


class LoopThread:
    """An event loop that runs in a thread; `call` and `run` enter it from outside."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, coroutine: Any) -> Any:
        """The coroutine's result, waited for."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(START_TIMEOUT_S)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """The function's result, called inside the loop."""

        async def inside() -> T:
            return function(*arguments)

        result: T = self.run(inside())
        return result

    def close(self) -> None:
        """Stop the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT_S)
        self._loop.close()


class Bench:
    """A board that is a reset circuit and a ROM loader: in `RUN` it echoes, in download mode it loads.

    `starts` lists how the chip has started: "run" or "download", and "left" when the host told the loader to leave.
    """

    def __init__(self, flash: NorFlash, *, pacing: bool) -> None:
        self.flash = flash
        self.starts: list[str] = []
        self.loader = RomLoader(flash, MAC, on_reset=self._leave)
        self.server = Rfc2217Server(
            on_data=self._receive, on_lines=self._set_lines, on_baud=self._set_line_baud, pacing=pacing
        )
        self._circuit = ResetCircuit()
        self._downloading = False

    @property
    def url(self) -> str:
        """What to give pyserial as a port."""
        return f"rfc2217://127.0.0.1:{self.server.port}"

    def _receive(self, data: bytes) -> None:
        if not self._downloading:
            self.server.send(data)
            return
        try:
            answer = self.loader.feed(data)
        except PowerCutError:
            self._downloading = False
            self.starts.append("cut")
            return
        self.server.send(answer)
        self.server.board_baud = self.loader.baud

    def _set_line_baud(self, baud: int) -> None:
        self.loader.line_baud = baud

    def _set_lines(self, dtr: bool, rts: bool) -> None:
        loop = asyncio.get_running_loop()
        self._start(self._circuit.change(dtr=dtr, rts=rts, now_s=loop.time()))
        self._downloading &= not self._circuit.in_reset
        if self._circuit.rise_at_s is not None:
            loop.call_at(self._circuit.rise_at_s, lambda: self._start(self._circuit.settle(loop.time())))

    def _start(self, strapping: Strapping | None) -> None:
        if strapping is None:
            return
        self.starts.append(strapping.value)
        self.server.board_baud = boot_text.BAUD
        self._downloading = strapping is Strapping.DOWNLOAD
        if self._downloading:
            self.loader.reset()
            self.server.send(boot_text.download())
            self.server.board_baud = None
        else:
            self.server.send(boot_text.start(boot_text.ResetCause.POWERON_RESET))

    def _leave(self) -> None:
        self._downloading = False
        self.starts.append("left")


@contextmanager
def loop_thread() -> Iterator[LoopThread]:
    """A loop's thread until the end of the block."""
    thread = LoopThread()
    try:
        yield thread
    finally:
        thread.close()


@contextmanager
def bench(thread: LoopThread, flash: NorFlash, *, pacing: bool = False) -> Iterator[Bench]:
    """A bench that listens on a port of its own until the end of the block."""
    board = thread.call(lambda: Bench(flash, pacing=pacing))
    thread.run(board.server.start())
    try:
        yield board
    finally:
        thread.run(board.server.close())


@contextmanager
def stalled(server: Rfc2217Server) -> Iterator[None]:
    """The cable's far end keeps its connection and does nothing at all until the end of the block."""
    assert server._listener is not None
    go_on = threading.Event()
    server._listener.get_loop().call_soon_threadsafe(go_on.wait, START_TIMEOUT_S)
    try:
        yield
    finally:
        go_on.set()
