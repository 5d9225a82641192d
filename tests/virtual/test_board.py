"""The board as a chip: power, resets, boot modes, and what each leaves of pins, memory and flash."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path  # noqa: TC003 - pytest's fixture

import pytest

from dispctl.virtual import boot_text
from dispctl.virtual.board import Board, Cause, State
from tests.virtual.bench import PROMPT, Bench, bench

pytestmark = pytest.mark.micropython

OPEN_JAR_1 = "import machine; machine.Pin(26, machine.Pin.OUT).on()"
LOUD_MAIN = "import machine; print('main', machine.reset_cause(), machine.RTC().memory())"


def test_a_blank_filesystem_is_formatted_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash") as first:
            assert first.sent.startswith(boot_text.start(boot_text.ResetCause.POWERON_RESET))
            assert b"Performing initial setup\r\nMicroPython v1." in first.sent
            assert await first.run("import os; print(os.listdir())") == "['boot.py']\r\n"
        async with bench(tmp_path / "flash") as second:
            assert b"initial setup" not in second.sent

    asyncio.run(scenario())


def test_a_blank_flash_complains_again_and_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", blank=True, speed=20) as made:
            await made.until(boot_text.start(boot_text.ResetCause.RTCWDT_RTC_RESET))
            assert (await made.until("rst:0x10")).count("invalid header: 0xffffffff") >= 3
            assert made.board.state is State.NO_PROGRAM

    asyncio.run(scenario())


def test_a_damaged_filesystem_never_reaches_a_prompt(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", speed=20) as made:
            made.board.power_off()
            for block in (0, 1):
                made.board.flash.program(0x200000 + block * 4096, b"\xa5" * 4096)
            made.unread = b""
            made.board.power_on()
            for _ in range(3):
                await made.until("looks corrupt")
            assert PROMPT not in made.unread

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("event", "cause", "number", "memory", "rom"),
    [
        ("power", "power", 1, "b''", "rst:0x1 (POWERON_RESET)"),
        ("en", "reset", 1, "b''", "rst:0x1 (POWERON_RESET)"),
        ("watchdog", "watchdog", 3, "b'kept'", "rst:0x8 (TG1WDT_SYS_RESET)"),
        ("panic", "panic", 2, "b'kept'", "rst:0xc (SW_CPU_RESET)"),
        ("machine.reset", "machine.reset", 2, "b'kept'", "rst:0xc (SW_CPU_RESET)"),
    ],
)
def test_what_each_reset_leaves(
    tmp_path: Path, *, event: str, cause: str, number: int, memory: str, rom: str
) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash") as made:
            await made.write("/main.py", LOUD_MAIN)
            await made.run(f"{OPEN_JAR_1}; machine.RTC().memory(b'kept')")
            assert made.jar(1)["open"]
            cut(made, event)
            start = await made.until(f"main {number} {memory}")
            assert rom in start
            assert made.jar(1)["openings"][0]["cause"] == cause

    asyncio.run(scenario())


def cut(made: Bench, event: str) -> None:
    """Bring about one kind of restart."""
    board = made.board
    if event == "power":
        board.power_off()
        board.power_on()
    elif event == "machine.reset":
        made.type("machine.reset()\r")
    else:
        board.reset({"en": Cause.EN, "watchdog": Cause.WATCHDOG, "panic": Cause.PANIC}[event])


def test_a_soft_reset_leaves_pins_memory_and_the_wifi(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", speed=10) as made:
            await made.write("/main.py", f"{LOUD_MAIN}\nimport network\nprint(network.WLAN().isconnected())")
            await made.run(f"{OPEN_JAR_1}; machine.RTC().memory(b'kept')")
            await made.run(
                "import network, time; w = network.WLAN(); w.active(True); w.connect('Cozinha', 'tempero123')\n"
                "while not w.isconnected(): time.sleep_ms(50)"
            )
            made.type("\x04")
            assert "MPY: soft reboot\r\nmain 5 b'kept'\r\nTrue\r\n" in await made.until(PROMPT)
            assert made.jar(1)["open"]

    asyncio.run(scenario())


def test_a_program_that_exits_at_the_raw_repl_is_heard_to_end_before_the_soft_reset(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash") as made:
            made.type("\x01")
            await made.until("exit\r\n>")
            made.type("print(1); raise SystemExit\x04")
            seen = await made.until("exit\r\n>")
            assert seen == "OK1\r\n\x04\x04MPY: soft reboot\r\nraw REPL; CTRL-B to exit\r\n>"

    asyncio.run(scenario())


def test_a_soft_reset_from_the_raw_repl_does_not_run_main(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash") as made:
            await made.write("/main.py", LOUD_MAIN)
            made.type("\x01\x04")
            seen = await made.until("soft reboot\r\nraw REPL; CTRL-B to exit\r\n>")
            assert "main 5" not in seen

    asyncio.run(scenario())


def test_a_starved_watchdog_resets_and_a_fed_one_does_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", speed=5) as made:
            await made.write("/main.py", LOUD_MAIN)
            fed = "import machine, time\nw = machine.WDT(timeout=2000)\nfor _ in range(8): time.sleep_ms(500); w.feed()"
            await made.run(fed + "\nprint('alive')")
            assert made.board.state is State.RUNNING
            await made.until("main 3")

    asyncio.run(scenario())


@pytest.mark.parametrize("torn", [False, True])
def test_the_power_goes_at_the_flash_operation_asked_for(tmp_path: Path, torn: bool) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash") as made:
            await made.run(OPEN_JAR_1)
            flash = made.board.flash
            at = flash.operations + 5
            flash.cut_at(at, torn=torn, seed=1)
            made.type("f = open('/n', 'w')\rwhile f.write('x' * 4096): f.flush()\r\r")
            await made.wait_for(lambda: made.board.state is State.OFF)
            assert flash.operations == at
            assert made.jar(1)["openings"][0]["cause"] == "power"
            made.board.power_on()
            await made.until(PROMPT)
            assert "True" in await made.run("import os; print('boot.py' in os.listdir())")

    asyncio.run(scenario())


def test_dtr_and_rts_reset_it_and_choose_the_boot_mode(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash") as made:
            board = made.board
            board.set_lines(dtr=True, rts=True)
            assert state(board) is State.RUNNING
            board.set_lines(dtr=False, rts=True)
            assert state(board) is State.IN_RESET
            board.set_lines(dtr=True, rts=False)
            assert state(board) is State.DOWNLOAD
            assert made.sent.endswith(b"waiting for download\r\n")
            board.set_lines(dtr=False, rts=True)
            board.set_lines(dtr=False, rts=False)
            await made.until(PROMPT)
            assert state(board) is State.RUNNING

    asyncio.run(scenario())


def test_power_and_reset_held_by_the_cable(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash") as made:
            board = made.board
            board.power_off()
            board.reset()
            made.type(b"1+1\r")
            assert state(board) is State.OFF
            board.set_lines(dtr=False, rts=True)
            board.power_on()
            assert state(board) is State.IN_RESET
            board.reset()
            assert state(board) is State.IN_RESET
            board.set_lines(dtr=False, rts=False)
            await made.until(PROMPT)

    asyncio.run(scenario())


def test_an_interpreter_that_is_brought_down_is_a_panic(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", speed=10) as made:
            await made.write("/main.py", LOUD_MAIN)
            await made.run(OPEN_JAR_1)
            os.kill(interpreter_of(made.board), signal.SIGSEGV)
            await made.until("main 2")
            assert made.jar(1)["openings"][0]["cause"] == "panic"

    asyncio.run(scenario())


def state(board: Board) -> State:
    """What the board is doing, asked anew each time."""
    return board.state


def interpreter_of(board: Board) -> int:
    """The process that is the board's processor."""
    processor = board._processor
    assert processor is not None
    return processor._process.pid


def test_board_time_and_the_ground_truth_run_at_its_speed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path / "flash", speed=20) as made:
            began = asyncio.get_running_loop().time()
            await made.run(
                f"{OPEN_JAR_1}\nimport time; time.sleep(5); machine.Pin(26, machine.Pin.OUT).off()"
            )
            took_s = asyncio.get_running_loop().time() - began
            opening = made.jar(1)["openings"][0]
            assert opening["cause"] == "firmware"
            assert opening["closed_ms"] - opening["opened_ms"] >= 5000
            assert took_s < 5

    asyncio.run(scenario())
