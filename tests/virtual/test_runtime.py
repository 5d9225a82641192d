"""What a program finds on the board: the modules of an ESP32, its console and its REPLs."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - pytest's fixture
from typing import TYPE_CHECKING

import pytest

from tests.virtual.bench import PROMPT, Bench, bench

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

pytestmark = pytest.mark.micropython

JOIN = """
import network, time
wlan = network.WLAN(network.STA_IF)
wlan.active(True)
wlan.connect("Cozinha", "tempero123")
while not wlan.isconnected():
    time.sleep_ms(20)
"""


def on_board(tmp_path: Path, scenario: Callable[[Bench], Awaitable[None]], speed: float = 1.0) -> None:
    """Run `scenario` with a board at its prompt."""

    async def run() -> None:
        async with bench(tmp_path / "flash", speed=speed) as made:
            await scenario(made)

    asyncio.run(run())


def printed(tmp_path: Path, source: str, speed: float = 1.0) -> str:
    """What `source` prints on a board, its traceback included, with bare line feeds."""
    output = []

    async def scenario(made: Bench) -> None:
        output.append(await made.run(source))

    on_board(tmp_path, scenario, speed)
    return output[0].replace("\r\n", "\n")


@contextmanager
def echo_server() -> Iterator[int]:
    """A TCP server that sends back the first thing it is sent, then stays silent; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(connection)
                connection.sendall(connection.recv(1024))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in connections:
                connection.close()


def test_its_modules_say_their_own_names(tmp_path: Path) -> None:
    source = "import machine, network, esp\nfor module in (machine, network, esp):\n    print(module.__name__)\nmachine.no"
    seen = printed(tmp_path, source)
    assert seen.startswith("machine\nnetwork\nesp\n")
    assert "AttributeError: module 'machine' has no attribute 'no'" in seen


def test_the_flash_can_be_had_by_its_addresses(tmp_path: Path) -> None:
    source = (
        "import esp\n"
        "esp.osdebug(None)\n"
        "page = bytearray(4)\n"
        "esp.flash_erase(0x3ff)\n"
        "esp.flash_write(0x3ff010, b'sal!')\n"
        "esp.flash_read(0x3ff010, page)\n"
        "print(esp.flash_size(), hex(esp.flash_user_start()), page)\n"
    )
    assert printed(tmp_path, source) == "4194304 0x200000 bytearray(b'sal!')\n"


def test_it_says_that_it_is_an_esp32(tmp_path: Path) -> None:
    source = (
        "import sys, os, machine\n"
        "print(sys.platform, sys.implementation[0], sys.implementation[2], os.uname()[0], sys.version[:18])\n"
        "print(len(machine.unique_id()), machine.freq(), sys.argv, hasattr(os, 'system'))"
    )
    assert printed(tmp_path, source) == (
        "esp32 micropython Generic ESP32 module with ESP32 esp32 3.4.0; MicroPython\n6 160000000 [] False\n"
    )


def test_a_programs_own_modules_may_have_the_runtimes_names(tmp_path: Path) -> None:
    async def scenario(made: Bench) -> None:
        await made.write("/bus.py", "name = 'mine'")
        assert await made.run("import bus; print(bus.name)") == "mine\r\n"
        assert "no module named 'runtime'" in await made.run("import runtime.bus")

    on_board(tmp_path, scenario)


def test_tracebacks_show_the_program_alone(tmp_path: Path) -> None:
    shown = printed(tmp_path, "import time\ndef f():\n    time.sleep('x')\nf()")
    assert shown.startswith(
        'Traceback (most recent call last):\n  File "<stdin>", line 4, in <module>\n  File "<stdin>", line 3, in f\n'
    )
    assert "runtime" not in shown


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "time.sleep(100)",
        "while True: time.ticks_ms()",
        "sys.stdin.read(1)",
        "input()",
        "p = select.poll(); p.register(sys.stdin); p.poll()",
        "while True: print('x' * 1000)",
        "while True:\n    with open('/n', 'w') as file: file.write('7')",
        "asyncio.run(asyncio.Event().wait())",
        "machine.lightsleep(100000)",
    ],
)
def test_ctrl_c_stops_anything(tmp_path: Path, program: str) -> None:
    async def scenario(made: Bench) -> None:
        made.type("\x01")
        await made.until("\r\n>")
        made.type(f"import time, sys, select, asyncio, machine\nprint('begun')\n{program}\x04")
        await made.until("begun")
        made.type("\x03")
        await made.until("KeyboardInterrupt")
        made.type("print('next')\x04")
        await made.until("OKnext")

    on_board(tmp_path, scenario)


def test_a_program_that_writes_one_open_file_is_stopped_by_an_error(tmp_path: Path) -> None:
    async def scenario(made: Bench) -> None:
        made.type("\x01f = open('/n', 'w')\nprint('begun')\nwhile True: f.write('7' * 100); f.flush()\x04")
        await made.until("begun")
        made.type("\x03")
        await made.until("OSError: 4")

    on_board(tmp_path, scenario)


def test_ctrl_c_is_data_where_a_program_wants_it(tmp_path: Path) -> None:
    async def scenario(made: Bench) -> None:
        made.type(
            "import micropython, sys\r"
            "micropython.kbd_intr(-1); print('rea' + 'dy'); print('now', sys.stdin.buffer.read(3))\r"
        )
        await made.until("ready")
        made.type(b"a\x03\xff")
        await made.until(r"now b'a\x03\xff'")

    on_board(tmp_path, scenario)


def test_main_runs_until_ctrl_c_and_again_after_a_soft_reset(tmp_path: Path) -> None:
    async def scenario(made: Bench) -> None:
        await made.write("/main.py", "import time\nprint('main runs')\nwhile True: time.sleep(1)")
        for _ in range(2):
            made.type("\x04")
            await made.until("main runs")
            made.type("\x03")
            assert 'File "main.py", line 3' in await made.until(PROMPT)

    on_board(tmp_path, scenario)


def test_standard_output_is_cooked_and_its_buffer_is_raw(tmp_path: Path) -> None:
    async def scenario(made: Bench) -> None:
        made.type(
            "\x01import sys\nprint('é')\nsys.stdout.buffer.write(b'a\\nb\\xff')\nsys.stdout.write('c\\n')\x04"
        )
        await made.wait_for(lambda: made.unread.endswith(b"\x04\x04>"))
        assert "é\r\n".encode() + b"a\nb\xffc\r\n\x04\x04>" in made.unread

    on_board(tmp_path, scenario)


def test_the_friendly_repl_takes_statements_blocks_and_pasted_text(tmp_path: Path) -> None:
    async def scenario(made: Bench) -> None:
        made.type("x = [1,\r2]\rfor i in x:\rprint('i', i)\r\r")
        assert "i 1\r\ni 2\r\n" in await made.until("i 2\r\n>>> ")
        made.type("'''a\rb'''\r")
        await made.until(r"'a\nb'")
        made.type("abc\x7f\x7f\x7f41 + 1\r")
        await made.until("42\r\n>>> ")
        made.type("garbage\x03")
        await made.until(PROMPT)
        made.type("\x05")
        await made.until("=== ")
        made.type("def f():\r    return 'pasted'\rprint(f())\r\x04")
        await made.until("pasted\r\n>>> ")

    on_board(tmp_path, scenario)


def test_raw_paste_grants_windows_and_can_be_broken_off(tmp_path: Path) -> None:
    async def scenario(made: Bench) -> None:
        made.type("\x01\x05A\x01")
        await made.wait_for(lambda: made.unread.endswith(b"R\x01\x80\x00\x01"))
        made.unread = b""
        program = b"x = '" + b"y" * 300 + b"'\nprint(len(x))"
        made.type(program + b"\x04")
        await made.wait_for(lambda: made.unread.endswith(b"\x04\x04>"))
        assert made.unread == b"\x01\x01\x04300\r\n\x04\x04>"
        made.type("\x05A\x01print(1)\x03")
        await made.wait_for(lambda: made.unread.endswith(b"\x04\x04\x04>"))
        made.type("\x05B\x01")
        await made.until("R\x00>")

    on_board(tmp_path, scenario)


def test_time_is_the_boards(tmp_path: Path) -> None:
    source = (
        "import time\n"
        "print(time.ticks_diff(time.ticks_add((1 << 30) - 5, 10), (1 << 30) - 5), time.ticks_diff(0, 5))\n"
        "t = time.ticks_ms(); time.sleep_ms(2000); print(2000 <= time.ticks_diff(time.ticks_ms(), t) < 3000)\n"
        "print(time.gmtime(0), time.mktime((2024, 2, 29, 12, 30, 15, 0, 0)), time.gmtime(762525015)[:6])\n"
        "import machine; machine.RTC().datetime((2026, 5, 4, 0, 3, 2, 1, 0)); print(time.localtime()[:5])"
    )
    assert printed(tmp_path, source, speed=20) == (
        "10 -5\nTrue\n(2000, 1, 1, 0, 0, 0, 5, 1) 762525015 (2024, 2, 29, 12, 30, 15)\n(2026, 5, 4, 3, 2)\n"
    )


def test_asyncio_and_timers_run_on_board_time(tmp_path: Path) -> None:
    source = """
import asyncio, machine
seen = []
machine.Timer(0, period=100, mode=machine.Timer.PERIODIC, callback=lambda timer: seen.append("t"))
async def work(name, ms):
    await asyncio.sleep_ms(ms)
    seen.append(name)
    return name
async def main():
    print(await asyncio.gather(work("slow", 350), work("quick", 150)))
    task = asyncio.create_task(work("never", 10000))
    await asyncio.sleep_ms(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")
    try:
        await asyncio.wait_for_ms(work("late", 10000), 50)
    except asyncio.TimeoutError:
        print("timeout")
asyncio.run(main())
print("".join(name[0] for name in seen[:5]))
"""
    assert printed(tmp_path, source, speed=2) == "['slow', 'quick']\ncancelled\ntimeout\ntqtts\n"


def test_a_servo_opens_and_closes_its_jar(tmp_path: Path) -> None:
    source = """
import machine
i2c = machine.I2C(0, scl=machine.Pin(22), sda=machine.Pin(21))
print(i2c.scan())
i2c.writeto_mem(0x40, 0xFE, b"\\x79")
i2c.writeto_mem(0x40, 0x00, b"\\x20")
i2c.writeto_mem(0x40, 0x06 + 4 * 2, b"\\x00\\x00\\x9a\\x01")
print(i2c.readfrom_mem(0x40, 0xFE, 1))
try:
    i2c.writeto(0x41, b"x")
except OSError as error:
    print(error)
"""

    async def scenario(made: Bench) -> None:
        assert await made.run(source) == "[64]\r\nb'y'\r\n[Errno 19] ENODEV\r\n"
        assert made.jar(3)["open"]
        await made.run("i2c.writeto_mem(0x40, 0x06 + 4 * 2, b'\\x00\\x00\\xcd\\x00')")
        assert made.jar(3)["openings"][0]["cause"] == "firmware"

    on_board(tmp_path, scenario)


def test_pins_read_back_what_drives_them(tmp_path: Path) -> None:
    source = """
from machine import Pin, PWM, Signal
pin = Pin(26, Pin.OUT, value=1)
print(pin.value(), Pin(27, Pin.IN, Pin.PULL_UP)(), Pin(32, Pin.IN).value())
Signal(pin, invert=True).on()
print(pin(), Pin(26).value())
PWM(pin, freq=50, duty_u16=65535)
print(pin())
for number in (40, 28, "x"):
    try:
        Pin(number)
    except ValueError as error:
        print(error)
try:
    Pin(35, Pin.OUT)
except ValueError as error:
    print(error)
"""
    assert printed(tmp_path, source) == (
        "1 1 0\n0 0\n1\ninvalid pin\ninvalid pin\ninvalid pin\npin can only be input\n"
    )


def test_the_real_time_memory_has_2048_bytes(tmp_path: Path) -> None:
    source = "import machine; rtc = machine.RTC(); rtc.memory(bytes(2048)); print(len(rtc.memory()))\nrtc.memory(bytes(2049))"
    shown = printed(tmp_path, source)
    assert shown.startswith("2048\n")
    assert shown.endswith("ValueError: buffer too long\n")


def test_sockets_need_the_wifi(tmp_path: Path) -> None:
    with echo_server() as port:
        source = f"""
import socket
def attempt():
    s = socket.socket()
    s.settimeout(0.2)
    try:
        s.connect(("127.0.0.1", {port}))
        s.write(b"ping")
        print(s.recv(10))
        s.recv(1)
    except OSError as error:
        print(error)
    s.close()
attempt()
{JOIN}
attempt()
s = socket.socket()
try:
    s.connect(("127.0.0.1", 1))
except OSError as error:
    print(error)
"""
        assert printed(tmp_path, source, speed=2) == (
            "[Errno 113] EHOSTUNREACH\nb'ping'\n[Errno 110] ETIMEDOUT\n[Errno 111] ECONNREFUSED\n"
        )


def test_a_socket_dies_with_the_wifi(tmp_path: Path) -> None:
    async def scenario(made: Bench) -> None:
        with echo_server() as port:
            await made.run(
                f"{JOIN}\nimport socket, select\ns = socket.socket(); s.connect(('127.0.0.1', {port}))\n"
                "s.write(b'ping'); s.recv(4); p = select.poll(); p.register(s, select.POLLIN)"
            )
            made.type("print('polled', p.poll(), 'then')\r")
            await made.until("'then')\r\n")
            made.board.radio.set_on_air(on=False)
            await made.until("polled")
            assert "ECONNABORTED" in await made.run("s.recv(1)")
            made.board.radio.set_on_air(on=True)
            assert "ECONNABORTED" in await made.run(
                "while not wlan.isconnected(): time.sleep_ms(20)\ns.write(b'x')"
            )

    on_board(tmp_path, scenario, speed=5)


@pytest.mark.parametrize(
    ("ssid", "key", "status"),
    [("Cozinha", "no", 202), ("Vizinho", "x", 201), ("Cozinha", "tempero123", 1010)],
)
def test_the_station_says_why_it_did_not_join(tmp_path: Path, ssid: str, key: str, status: int) -> None:
    source = (
        "import network, time\nw = network.WLAN(network.STA_IF)\nw.active(True)\n"
        f"w.connect({ssid!r}, {key!r})\ntime.sleep(1)\nwhile w.status() == network.STAT_CONNECTING: time.sleep_ms(50)\n"
        "print(w.status(), w.isconnected(), w.ifconfig()[0] != '0.0.0.0')"
    )
    joined = status == 1010
    assert printed(tmp_path, source, speed=5) == f"{status} {joined} {joined}\n"
