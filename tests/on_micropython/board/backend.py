"""A backend for the firmware's tests, behind a transport without sockets: contract, faults and bookkeeping.

`faults` holds words that meet the next requests, one each: "ok", "refuse" (no connection), "lost" (accepted, and the
connection dies before an answer), "drop" (dies before it is accepted), "hang", "half" (dies in mid-answer), a status
("500", "404", …), or raw bytes as the whole answer. "cut" lets a long poll wait for `CUT_AFTER_MS`, as a proxy does that
knows no better, and is "drop" for every other request.
"""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .fakes import FakeCalendarClock, FakeClock, FakeRadio

CODE = "123456"
CUT_AFTER_MS = 5_000
_WAIT_MS = 20
_REASONS = {200: "OK", 204: "No Content"}


class FakeBackend:
    """Jobs are handed out until they are reported; a report has its effect once.

    With `poll_wait` other than "" answers announce it, and boards that ask for it are let wait. At an `https` address it
    has a certificate that is `valid` between two moments (seconds since 1970), and its answers carry `date`.
    """

    def __init__(self) -> None:
        self.token = "token-1"
        self.connections = 0
        self.claims = 0
        self.queue: list[dict[str, Any]] = []
        self.poll_wait = ""
        self.valid = (0, 1 << 40)
        self.date = ""
        self.raw_job: bytes | None = None
        self.reports: dict[int, dict[str, Any]] = {}
        self.report_count = 0
        self.taken_g = [0.0, 0.0, 0.0, 0.0]  # off the stock, by jar
        self.heartbeats = 0
        self.faults: list[Any] = []
        self.report_faults: list[Any] = []
        self.requests: list[str] = []

    def answer(self, method: str, path: str, headers: "dict[str, str]", body: bytes) -> "tuple[int, bytes]":
        """Status and body for one request, with its effects."""
        self.requests.append(f"{method} {path}")
        if path == "/":
            return 404, b'{"detail": "nothing here"}'
        if path == "/devices/claim":
            return self._claim(json.loads(body))
        if headers.get("authorization") != f"Bearer {self.token}":
            return 401, b'{"detail": "no"}'
        if path == "/devices/me/heartbeat":
            self.heartbeats += 1
            return 200, b'{"ok": true}'
        if path.partition("?")[0] == "/devices/me/next_job":
            return self._next_job()
        return self._complete(int(path.split("/")[4]), json.loads(body))

    def _claim(self, fields: "dict[str, Any]") -> "tuple[int, bytes]":
        if fields["claim_code"] != CODE:
            return 400, b'{"detail": "code"}'
        self.claims += 1
        fields = {"device_id": 1, "device_token": self.token, "heartbeat_sec": 30}
        return 200, json.dumps(fields).encode()

    def _next_job(self) -> "tuple[int, bytes]":
        if self.raw_job is not None:
            return 200, self.raw_job
        if not self.queue:
            return 204, b""
        return 200, json.dumps(self.queue[0]).encode()

    def _complete(self, job_id: int, report: "dict[str, Any]") -> "tuple[int, bytes]":
        self.report_count += 1
        if job_id in self.reports:
            assert self.reports[job_id] == report, "a repeated report differs"
        else:
            self._take_stock(report)
        self.reports[job_id] = report
        self.queue = [job for job in self.queue if job["id"] != job_id]
        return 200, b'{"ok": true, "stock_deducted": true, "message": ""}'

    def _take_stock(self, report: "dict[str, Any]") -> None:
        for entry in report["execution_logs"]:
            if entry["status"] == "done":
                self.taken_g[entry["frasco"] - 1] += entry["quantidade_g"]


class FakeTransport:
    """Connections to a `FakeBackend`, dead while the Wi-Fi is off; `checks` certificates as mbedTLS does."""

    def __init__(
        self,
        backend: FakeBackend,
        clock: "FakeClock",
        radio: "FakeRadio",
        calendar: "FakeCalendarClock",
        pause: "Any",
    ) -> None:
        self.backend = backend
        self.clock = clock
        self.radio = radio
        self.calendar = calendar
        self.pause = pause
        self.checks = True

    def unchecked(self) -> "FakeTransport":
        """The same that checks no certificate."""
        other = FakeTransport(self.backend, self.clock, self.radio, self.calendar, self.pause)
        other.checks = False
        return other

    def connect(self, host: str, port: int, secure: bool, deadline: "Any") -> "FakeConnection":
        if not self.radio.joined():
            raise OSError(113)
        self.pause(_WAIT_MS)
        if self.backend.faults and self.backend.faults[0] == "refuse":
            self.backend.faults.pop(0)
            raise OSError(111)
        deadline.check()
        if secure and self.checks:
            self._check_certificate()
        self.backend.connections += 1
        return FakeConnection(self, secure)

    def _check_certificate(self) -> None:
        begins, ends = self.backend.valid
        if self.calendar.utc() < begins:
            raise ValueError("The certificate validity starts in the future")
        if self.calendar.utc() > ends:
            raise ValueError("The certificate validity has expired")


class FakeConnection:
    """Gathers a request, then gives out the answer in small pieces."""

    def __init__(self, transport: FakeTransport, secure: bool) -> None:
        self._transport = transport
        self._secure = secure
        self._request = b""
        self._answer: bytes | None = None
        self._dead = False

    def write(self, data: bytes, deadline: "Any") -> None:
        deadline.check()
        if self._dead or not self._transport.radio.joined():
            raise OSError(104)
        self._request += data

    def read(self, limit: int, deadline: "Any") -> bytes:
        if self._answer is None:
            self._answer = self._exchange(deadline)
        self._transport.pause(_WAIT_MS)
        if not self._transport.radio.joined():
            raise OSError(103)
        while not self._answer and not self._dead:
            deadline.check()  # an answer that does not come: the deadline ends it
            self._transport.pause(_WAIT_MS)
        piece = self._answer[: min(limit, 100)]
        self._answer = self._answer[len(piece) :]
        if not self._answer:
            self._answer = None if not self._dead else b""
        deadline.heard()
        return piece

    def close(self) -> None:
        self._dead = True

    def _exchange(self, deadline: "Any") -> bytes:
        backend = self._transport.backend
        head, _, body = self._request.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        assert len(body) == int(headers.get("content-length", "0")), "wrong Content-Length"
        self._request = b""
        faults = (
            backend.report_faults if path.endswith("/complete") and backend.report_faults else backend.faults
        )
        fault = faults.pop(0) if faults else "ok"
        if fault in ("ok", "lost", "half", "cut"):
            self._let_wait(min(_asked_ms(path), CUT_AFTER_MS if fault == "cut" else 600_000), deadline)
        return self._with_fault(fault, method, path, headers, body)

    def _let_wait(self, longest_ms: int, deadline: "Any") -> None:
        """A long poll until there is a job; raises what ends it on the board's side."""
        backend, clock = self._transport.backend, self._transport.clock
        end_ms = clock.now_ms + longest_ms
        while clock.now_ms < end_ms and not backend.queue and backend.raw_job is None:
            deadline.check()
            self._transport.pause(deadline.pause_ms)
            if not self._transport.radio.joined():
                raise OSError(103)

    def _with_fault(
        self, fault: "Any", method: str, path: str, headers: "dict[str, str]", body: bytes
    ) -> bytes:
        if isinstance(fault, bytes):
            self._dead = True
            return fault
        if fault in ("drop", "refuse", "hang", "cut"):
            self._dead = fault != "hang"
            return b""
        backend = self._transport.backend
        date = backend.date if self._secure else ""
        if fault not in ("ok", "lost", "half"):
            return _response(int(fault), b'{"detail": "fault"}', date=date)
        status, content = backend.answer(method, path, headers, body)
        answer = _response(status, content, backend.poll_wait, date)
        if fault == "ok":
            return answer
        self._dead = True
        return b"" if fault == "lost" else answer[: len(answer) // 2]


def _asked_ms(path: str) -> int:
    """How long a poll asks to wait."""
    return int(path.partition("?wait=")[2] or 0) * 1000


def _response(status: int, body: bytes, poll_wait: str = "", date: str = "") -> bytes:
    offer = f"Poll-Wait: {poll_wait}\r\n" if poll_wait else ""
    offer += f"Date: {date}\r\n" if date else ""
    reason = _REASONS.get(status, "Error")
    return f"HTTP/1.1 {status} {reason}\r\n{offer}Content-Length: {len(body)}\r\n\r\n".encode() + body
