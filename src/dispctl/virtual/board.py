"""The board: power, reset and boot mode; what the cable's bytes and lines reach in each state. No sockets, no files.

It runs its program (`Processor`), speaks the ROM's protocol (`RomLoader`), repeats the ROM's complaint about a flash that
holds no program, is held in reset, or is off.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from dispctl.virtual import boot_text, bus, esp_image, program
from dispctl.virtual.boot_text import ResetCause
from dispctl.virtual.download import Download
from dispctl.virtual.esp_image import MicroPythonFound
from dispctl.virtual.hardware import Hardware
from dispctl.virtual.processor import Processor
from dispctl.virtual.radio import DEFAULT_NETWORKS, Radio
from dispctl.virtual.relays import Relays
from dispctl.virtual.reset_circuit import ResetCircuit, Strapping
from dispctl.virtual.rom_loader import RomLoader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dispctl.virtual.clock import BoardClock
    from dispctl.virtual.esp_image import NotBootable
    from dispctl.virtual.flash import NorFlash

DEFAULT_MAC = bytes.fromhex("24 6f 28 d1 5c 01")  # Espressif's OUI
BYTES_PER_S = boot_text.BAUD // 10


class State(str, Enum):
    """What the board is doing."""

    OFF = "off"
    IN_RESET = "in reset"
    DOWNLOAD = "download mode"
    RUNNING = "running"
    NO_PROGRAM = "no program"


class Cause(Enum):
    """Why the chip starts: its name in the ground truth, the ROM's number, and MicroPython's `machine.reset_cause()`."""

    POWER = ("power", ResetCause.POWERON_RESET, 1)
    EN = ("reset", ResetCause.POWERON_RESET, 1)
    PROGRAM = ("machine.reset", ResetCause.SW_CPU_RESET, 2)
    PANIC = ("panic", ResetCause.SW_CPU_RESET, 2)
    WATCHDOG = ("watchdog", ResetCause.TG1WDT_SYS_RESET, 3)

    def __init__(self, label: str, rom: ResetCause, micropython: int) -> None:
        self.label = label
        self.rom = rom
        self.micropython = micropython


SOFT_RESET = 5  # machine.SOFT_RESET
PANIC_MS = 300  # the registers and the backtrace take this long at 115200 baud


class Cable(Protocol):
    """The serial cable's other end, as the board drives it."""

    board_baud: int | None

    def send(self, data: bytes) -> None:
        """Send from the board's UART."""


@dataclass
class Wiring:
    """What a board is made of; `paced` holds a program's output back to the UART's speed."""

    flash: NorFlash
    clock: BoardClock
    mac: bytes = DEFAULT_MAC
    networks: Mapping[str, str] = field(default_factory=lambda: DEFAULT_NETWORKS)
    relays: Relays = field(default_factory=Relays)
    paced: bool = True


class Board:
    """An ESP32 on a DevKit, off until `power_on`; lives in a running event loop."""

    def __init__(self, wiring: Wiring) -> None:
        self.flash = wiring.flash
        self.clock = wiring.clock
        self.state = State.OFF
        self._wiring = wiring
        self._loop = asyncio.get_running_loop()
        self._circuit = ResetCircuit()
        self.radio = Radio(wiring.networks, wiring.mac, later=self._later, on_link=self._tell_link)
        self.hardware = Hardware(self, wiring.flash, wiring.clock, self.radio, wiring.relays)
        self._loader = RomLoader(wiring.flash, wiring.mac, on_reset=self._leave_download)
        self._download = Download(
            self._loader,
            take_busy_s=self.take_flash_busy_s,
            later=lambda delay_s, call: self._loop.call_later(delay_s, call).cancel,
            answer=self._answer_download,
            on_power_cut=self.power_off,
        )
        self._flash_busy = (0.0, 0.0)  # since and until when, on the loop's clock
        self._processor: Processor | None = None
        self._program: dict[str, Any] = {}
        self._reset_cause = Cause.POWER.micropython
        self._raw_repl = False
        self._watchdog: asyncio.TimerHandle | None = None
        self._rom_timer: asyncio.TimerHandle | None = None
        self._cable: Cable | None = None

    def attach(self, cable: Cable) -> None:
        """Plug the cable in: what the UART sends goes there from now on."""
        self._cable = cable

    def power_on(self) -> None:
        """Switch the power on; the chip starts unless the cable holds it in reset."""
        if self.state is not State.OFF:
            return
        if self._circuit.in_reset:
            self.state = State.IN_RESET
        else:
            self._start(self._strapping(), Cause.POWER)

    def power_off(self) -> None:
        """Cut the power at once, in the middle of whatever happens."""
        self._stop(Cause.POWER)
        self._tear_flash()
        self.hardware.power_lost()
        self.flash.status.power_lost()
        self.state = State.OFF

    def reset(self, cause: Cause = Cause.EN, *, boot_button: bool = False) -> None:
        """Reset the chip and let it start again; nothing while it is off or the cable holds it in reset.

        By EN it starts as its pins say, with `boot_button` held down in download mode.
        """
        if self.state in (State.OFF, State.IN_RESET):
            return
        self._stop(cause)
        strapping = Strapping.RUN
        if cause is Cause.EN:
            self.hardware.forget_rtc()
            strapping = Strapping.DOWNLOAD if boot_button else self._strapping()
        self._start(strapping, cause)

    def receive(self, data: bytes) -> None:
        """Bytes from the cable reach the UART."""
        if self.state is State.RUNNING and self._processor is not None:
            self._processor.type(data)
        elif self.state is State.DOWNLOAD:
            self._download.receive(data)

    def set_lines(self, dtr: bool, rts: bool) -> None:
        """DTR and RTS (True: asserted) changed: they may reset the chip, hold it, or let it start."""
        started = self._circuit.change(dtr=dtr, rts=rts, now_s=self._loop.time())
        if self._circuit.in_reset and self.state not in (State.OFF, State.IN_RESET):
            self._stop(Cause.EN)
            self.hardware.forget_rtc()
            self.state = State.IN_RESET
        self._leave_reset(started)
        if self._circuit.rise_at_s is not None:
            self._loop.call_at(self._circuit.rise_at_s, self._settle)

    def set_line_baud(self, baud: int) -> None:
        """The cable's client chose another speed, which the ROM follows until its first SYNC."""
        self._loader.line_baud = baud

    # What the hardware asks of its core

    def boot_settings(self) -> dict[str, Any]:
        """What the interpreter is told as it starts."""
        return {
            **self._program,
            "raw_repl": self._raw_repl,
            "speed_milli": round(self.clock.speed * 1000),
            "mac": list(self._wiring.mac),
            "reset_cause": self._reset_cause,
            "link": self.radio.link_up,
        }

    def set_interrupt_byte(self, byte: int) -> None:
        """Choose the byte that interrupts the program."""
        if self._processor is not None:
            self._processor.set_interrupt_byte(byte)

    def interrupt_taken(self) -> None:
        """The program has noticed the interrupt."""
        if self._processor is not None:
            self._processor.interrupt_taken()

    def power_cut(self) -> None:
        """The flash lost its power in the middle of an operation, and so does everything."""
        self.power_off()

    def reset_by_program(self) -> None:
        """``machine.reset()``."""
        self.reset(Cause.PROGRAM)

    def soft_reset(self, *, raw_repl: bool) -> None:
        """End this interpreter and start another; the chip and all its pins stay as they are."""
        unread = self._processor.kill() if self._processor is not None else b""
        self._raw_repl = raw_repl
        self._reset_cause = SOFT_RESET
        self._start_processor(unread)

    def start_watchdog(self, timeout_ms: int) -> None:
        """Reset the chip unless this is called again within `timeout_ms` of board time."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        delay_s = self.clock.host_seconds(timeout_ms)
        self._watchdog = self._loop.call_later(delay_s, self.reset, Cause.WATCHDOG)

    def take_flash_busy_s(self) -> float:
        """How long the flash needs, in host seconds, for what it was told since this was asked last."""
        busy_s = self.clock.host_seconds(self.flash.take_busy_ms())
        if busy_s:
            now_s = self._loop.time()
            self._flash_busy = (now_s, now_s + busy_s)
        return busy_s

    # Starting and stopping

    def _start(self, strapping: Strapping, cause: Cause) -> None:
        self._set_board_baud(boot_text.BAUD)
        if strapping is Strapping.DOWNLOAD:
            self.state = State.DOWNLOAD
            self._download.begin()
            self._send(boot_text.download(cause.rom))
            self._set_board_baud(None)
        else:
            self._boot(cause)

    def _boot(self, cause: Cause) -> None:
        self._send(boot_text.start(cause.rom))
        plan = esp_image.inspect(self.flash)
        if isinstance(plan, MicroPythonFound):
            self._send(plan.text)
            self._run(plan, cause)
        else:
            self.state = State.NO_PROGRAM
            self._complain(plan, plan.texts)

    def _run(self, found: MicroPythonFound, cause: Cause) -> None:
        self.state = State.RUNNING
        self._program = program.describe(self.flash, found)
        self._reset_cause = cause.micropython
        self._raw_repl = False
        self._start_processor()

    def _start_processor(self, unread: bytes = b"") -> None:
        rate = BYTES_PER_S * self.clock.speed if self._wiring.paced else None
        self._processor = Processor(
            self.hardware, on_output=self._send, on_exit=self._processor_crashed, bytes_per_s=rate
        )
        self._processor.start(unread)

    def _processor_crashed(self) -> None:
        """The program brought its interpreter down: a panic, and a restart once the chip has had its say."""
        self._stop(Cause.PANIC)
        delay_s = self.clock.host_seconds(PANIC_MS)
        self._rom_timer = self._loop.call_later(delay_s, self.reset, Cause.PANIC)

    def _stop(self, cause: Cause) -> None:
        if self._processor is not None:
            self._processor.kill()
            self._processor = None
        for timer in (self._watchdog, self._rom_timer):
            if timer is not None:
                timer.cancel()
        self._download.stop()
        self.hardware.chip_stopped(cause.label)

    def _tear_flash(self) -> None:
        """What the flash was busy with as the power went stays half done."""
        since_s, until_s = self._flash_busy
        now_s = self._loop.time()
        if now_s < until_s:
            self.flash.lose_power((now_s - since_s) / (until_s - since_s))
        self.flash.take_busy_ms()
        self._flash_busy = (0.0, 0.0)

    def _complain(self, plan: NotBootable, texts: tuple[bytes, ...]) -> None:
        """Say the rest of what this flash makes the chip say, then begin again if the chip does."""
        delay_s = self.clock.host_seconds(boot_text.INVALID_HEADER_PERIOD_S * 1000)
        if texts:
            self._send(texts[0])
            self._rom_timer = self._loop.call_later(delay_s, self._complain, plan, texts[1:])
        elif plan.next_cause is not None:
            self._rom_timer = self._loop.call_later(delay_s, self._complain_again, plan, plan.next_cause)

    def _complain_again(self, plan: NotBootable, cause: ResetCause) -> None:
        self._send(boot_text.start(cause))
        self._complain(plan, plan.texts)

    def _strapping(self) -> Strapping:
        return Strapping.DOWNLOAD if self._circuit.download else Strapping.RUN

    def _leave_reset(self, started: Strapping | None) -> None:
        if started is not None and self.state is State.IN_RESET:
            self._start(started, Cause.EN)

    def _settle(self) -> None:
        self._leave_reset(self._circuit.settle(self._loop.time()))

    # Download mode

    def _answer_download(self, answer: bytes) -> None:
        self._send(answer)
        self._set_board_baud(self._loader.baud)

    def _leave_download(self) -> None:
        self._loop.call_soon(self._boot_after_download)

    def _boot_after_download(self) -> None:
        if self.state is State.DOWNLOAD:
            self._download.stop()
            self._set_board_baud(boot_text.BAUD)
            self._boot(Cause.PROGRAM)

    # Outwards

    def _send(self, data: bytes) -> None:
        if self._cable is not None:
            self._cable.send(data)

    def _set_board_baud(self, baud: int | None) -> None:
        if self._cable is not None:
            self._cable.board_baud = baud

    def _tell_link(self, up: bool) -> None:
        if self._processor is not None:
            self._processor.notify(bus.LINK_UP if up else bus.LINK_DOWN)

    def _later(self, board_ms: float, call: Callable[[], None]) -> Callable[[], None]:
        return self._loop.call_later(self.clock.host_seconds(board_ms), call).cancel
