"""The firmware on a virtual board in this process, with a backend beside it: what is measured in real time runs here.

The files are put into the flash as `dispctl flash` would; the cable ends in `Kitchen`, which notes when each line came.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dispctl.firmware.control_lines import ANSWER_PREFIX, format_request, parse_answer
from dispctl.image import littlefs_image
from dispctl.operations.firmware_package import MAIN, MAIN_PATH, bytecode_package
from dispctl.virtual import esp_image
from dispctl.virtual.board import Board, Wiring
from dispctl.virtual.clock import BoardClock
from dispctl.virtual.esp_image import MicroPythonFound
from dispctl.virtual.flash import NorFlash
from dispctl.virtual.rfc2217 import Rfc2217Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from dispctl.operations.firmware_package import Package

SSID, PASSWORD = "Cozinha", "tempero123"
TOKEN = "segredo-do-aparelho"
DEADLINE_S = 60.0
CTRL_C = b"\x03"
STARTED = "[SETUP] dispctl firmware"


@dataclass
class SmallBackend:
    """Hands out the jobs in `queue` one by one until each is reported; answers 401 to a wrong token."""

    queue: list[dict[str, Any]] = field(default_factory=list)
    reports: dict[int, dict[str, Any]] = field(default_factory=dict)
    token: str = TOKEN

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests over one connection until it is closed."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = head[0].split(" ")
                status, answer = self._answer(method, path, headers, body)
                payload = json.dumps(answer).encode() if answer is not None else b""
                writer.write(
                    f"HTTP/1.1 {status} -\r\nContent-Length: {len(payload)}\r\n\r\n".encode() + payload
                )
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    def _answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any] | None]:
        if path == "/devices/claim":
            return 200, {"device_id": 1, "device_token": self.token, "heartbeat_sec": 30}
        if headers.get("authorization") != f"bearer {self.token}":
            return 401, {"detail": "no"}
        if path == "/devices/me/next_job":
            return (200, self.queue[0]) if self.queue else (204, None)
        if path.endswith("/complete"):
            self.reports[int(path.split("/")[4])] = json.loads(body)
            self.queue = [job for job in self.queue if job["id"] not in self.reports]
        return 200, {"ok": True}


@dataclass(frozen=True)
class Line:
    """A line from the board and when it was whole, in ms of board time."""

    text: str
    at_ms: float


class Kitchen:
    """The board, its backend, and the lines that came over the cable."""

    def __init__(self, board: Board, backend: SmallBackend) -> None:
        self.board = board
        self.backend = backend
        self.board_baud: int | None = None
        self.lines: list[Line] = []
        self.ctrl_c_ms: list[float] = []
        self._tool: Rfc2217Server | None = None
        self._rest = b""
        self._next_id = 0
        self._grown = asyncio.Event()
        board.attach(self)

    def send(self, data: bytes) -> None:
        """Take what the board sends: this is its cable."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        now_ms = self.now_ms
        self.lines += [Line(line.rstrip(b"\r").decode("utf-8", "replace"), now_ms) for line in whole]
        self._grown.set()
        if self._tool is not None:
            self._tool.send(data)

    @asynccontextmanager
    async def cable(self) -> AsyncIterator[str]:
        """An RFC 2217 port for an outside tool, plugged in beside this one; when Ctrl-C comes is in `ctrl_c_ms`."""
        board = self.board
        self._tool = Rfc2217Server(on_data=self.type, on_lines=board.set_lines, on_baud=board.set_line_baud)
        self._tool.board_baud = self.board_baud
        try:
            yield f"rfc2217://127.0.0.1:{await self._tool.start()}"
        finally:
            await self._tool.close()
            self._tool = None

    @property
    def now_ms(self) -> float:
        """Board time."""
        return self.board.clock.now_us() / 1000

    def type(self, data: bytes) -> None:
        """Send to the board."""
        if CTRL_C in data:
            self.ctrl_c_ms.append(self.now_ms)
        self.board.receive(data)

    async def wait_for(self, condition: Callable[[], bool], what: str, within_s: float = DEADLINE_S) -> None:
        """Until `condition`, tried whenever the board has sent something and every 5 ms."""
        deadline = asyncio.get_running_loop().time() + within_s
        while not condition():
            seen = [line.text for line in self.lines[-12:]]
            assert asyncio.get_running_loop().time() < deadline, (
                f"no {what}; {self.board.state.value}: {seen}"
            )
            self._grown.clear()
            try:
                await asyncio.wait_for(self._grown.wait(), 0.005)
            except asyncio.TimeoutError:
                continue

    async def line(self, beginning: str, after: int = 0, within_s: float = DEADLINE_S) -> Line:
        """The first line with this beginning, from the `after`th on."""
        found: list[Line] = []

        def look() -> bool:
            found.extend(line for line in self.lines[after:] if line.text.startswith(beginning))
            return bool(found)

        await self.wait_for(look, f"line {beginning!r}", within_s)
        return found[0]

    async def ask(self, op: str, **fields: Any) -> tuple[dict[str, Any], float]:
        """A control line's answer, and how many ms it took from the request's last byte to the answer's last."""
        self._next_id += 1
        asked_ms = self.now_ms
        self.type(format_request(self._next_id, op, **fields).encode() + b"\n")
        return await self.answer(self._next_id, len(self.lines), asked_ms)

    async def answer(self, request_id: int, after: int, asked_ms: float) -> tuple[dict[str, Any], float]:
        """The answer with this id among the lines from the `after`th on, and how long after `asked_ms` it came."""
        found: list[tuple[dict[str, Any], float]] = []

        def look() -> bool:
            for line in self.lines[after:]:
                told = parse_answer(line.text) if line.text.startswith(ANSWER_PREFIX) else None
                if told is not None and told["id"] == request_id:
                    found.append((told, line.at_ms - asked_ms))
            return bool(found)

        await self.wait_for(look, f"answer to request {request_id}")
        return found[0]

    def openings(self, jar: int) -> list[dict[str, Any]]:
        """The ground truth about a jar."""
        found: list[dict[str, Any]] = self.board.hardware.jars.report()["jars"][jar - 1]["openings"]
        return found

    @property
    def any_open(self) -> bool:
        """Whether a jar is open now."""
        return any(jar["open"] for jar in self.board.hardware.jars.report()["jars"])

    async def pouring(self, jar: int = 1, for_ms: int = 300) -> None:
        """Until this jar has been open for so long."""

        def look() -> bool:
            openings = self.openings(jar)
            return bool(openings) and self.now_ms - openings[-1]["opened_ms"] >= for_ms

        await self.wait_for(look, f"opening of jar {jar}")


def job(job_id: int, seconds: Sequence[float], jars: Sequence[int] = (1, 2, 3, 4)) -> dict[str, Any]:
    """A job as `next_job` hands it out."""
    items = [
        {
            "id": 20 + number,
            "ordem": number + 1,
            "frasco": jars[number % len(jars)],
            "tempero": "Sal",
            "quantidade_g": each * 2,
            "segundos": each,
        }
        for number, each in enumerate(seconds)
    ]
    return {"id": job_id, "created_at": f"2026-01-02T03:04:{job_id % 60:02}", "itens": items}


@asynccontextmanager
async def kitchen(
    folder: Path,
    *,
    prelude: str = "",
    speed: float = 1.0,
    paced: bool = True,
    package: Package | None = None,
    **settings: Any,
) -> AsyncIterator[Kitchen]:
    """A board that has said that its firmware runs; `prelude` is run before it, `settings` are saved on it.

    Without a `package` it has the firmware as bytecode.
    """
    backend = SmallBackend()
    server = await asyncio.start_server(backend.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    saved: dict[str, Any] = {"ssid": SSID, "password": PASSWORD, "backend_url": url, "device_token": TOKEN}
    saved |= {"actuator": {"kind": "relay"}, **settings}
    flash = NorFlash(folder / "flash")
    own = {"/settings.json": json.dumps(saved).encode(), MAIN_PATH: prelude.encode() + b"\n" + MAIN}
    write_files(flash, {**(package or bytecode_package()).files, **own})
    made = Kitchen(Board(Wiring(flash, BoardClock(speed), paced=paced)), backend)
    made.board.power_on()
    try:
        await made.line(STARTED)
        yield made
    finally:
        made.board.power_off()
        server.close()
        flash.close()


def write_files(flash: NorFlash, files: dict[str, bytes]) -> None:
    """MicroPython, and a filesystem with `files`."""
    flash.program(esp_image.IMAGE_OFFSET, esp_image.build_image())
    found = esp_image.inspect(flash)
    assert isinstance(found, MicroPythonFound)
    image = littlefs_image.build(files, found.length)
    for offset, data in image.runs():
        flash.program(found.offset + offset, data)
