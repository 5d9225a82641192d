"""A small HTTP/1.1 client: time-outs, size limits, no redirects, one kept connection. Knows no sockets, no contract.

Whatever the server does, a request ends within its time with a `Response`; `status` 0 means that none came. A server may
be allowed to let a request wait (a long poll): then it may be silent for so much longer before its answer begins.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .parts import Clock
    from .sockets import Connection, Transport

OVERALL_MS = 20_000
GAP_MS = 10_000
PAUSE_MS = 5  # between two looks at a connection
WAITING_PAUSE_MS = 20  # the same during a long wait, of which there are thousands
_STALE_MS = 1_000  # a kept connection that was closed long ago fails at once; one cut in a wait, later
_MAX_LINE_BYTES = 1024
_MAX_HEADERS = 64
_CHUNK_BYTES = 512
_MAX_DIGITS = 12
_LENGTH_HEADERS = ("content-length", "transfer-encoding", "connection")
_WAIT_HEADER = "poll-wait"
_DATE_HEADER = "date"
_UNTIMELY = (
    "validity",
    "-9984",
)  # mbedTLS's words, or where a build has none its number for all failed checks
_CONTINUE = 100
_SUCCESS = range(200, 300)
_WITHOUT_BODY = (204, 304)
_PRINTABLE = range(32, 127)


class HttpError(Exception):
    """The exchange failed; the message says how, for a log line."""


class Wait:
    """What a request that waits at the server may take: `patience_ms` of silence before the answer begins.

    `is_over` is asked all the while; once it says so, the request is given up. Neither counts while an answer comes.
    """

    def __init__(self, patience_ms: int, is_over: "Callable[[], bool]") -> None:
        self.patience_ms = patience_ms
        self.is_over = is_over


class Deadline:
    """How long is left of a request, and of the silence within it."""

    def __init__(self, clock: "Clock", overall_ms: int, gap_ms: int, wait: "Wait | None" = None) -> None:
        self._clock = clock
        self._began = clock.ticks_ms()
        self._heard = self._began
        self._sent = self._began
        self._overall_ms = overall_ms
        self._gap_ms = gap_ms
        self._wait = wait
        self._waiting: Wait | None = None

    @property
    def pause_ms(self) -> int:
        """How long to leave the connection alone before the next look."""
        return WAITING_PAUSE_MS if self._waiting else PAUSE_MS

    def check(self) -> None:
        """Raises HttpError when the time is over."""
        if self._waiting:
            self._check_wait(self._waiting)
            return
        if self._passed_ms(self._began) >= self._overall_ms:
            raise HttpError("tempo esgotado")
        if self._passed_ms(self._heard) >= self._gap_ms:
            raise HttpError("servidor em silêncio")

    def heard(self) -> None:
        """Something got through; where it ends a wait, the answer's own time begins."""
        self._heard = self._clock.ticks_ms()
        if self._waiting:
            self._waiting = None
            self._began = self._heard

    def sent(self) -> None:
        """The request is out: the wait begins, if one was agreed on."""
        self._sent = self._clock.ticks_ms()
        self._waiting = self._wait

    def repeat(self) -> None:
        """The request is sent once more. Raises HttpError when the time is over, or when a wait was cut."""
        self.check()
        if self._wait and self._passed_ms(self._sent) >= _STALE_MS:
            raise HttpError("conexão fechada durante a espera")
        self._waiting = None

    def _check_wait(self, wait: Wait) -> None:
        if wait.is_over():
            raise HttpError("espera interrompida")
        if self._passed_ms(self._sent) >= wait.patience_ms:
            raise HttpError("servidor em silêncio")

    def _passed_ms(self, since: int) -> int:
        return self._clock.ticks_diff(self._clock.ticks_ms(), since)


class Response:
    """`body` holds at most the limit asked for; `cut` says that there was more.

    `open_ended` says that nobody said how long the body is: its end may be missing. `poll_wait_s` is what the header
    `Poll-Wait` says, 0 where it says nothing that can be meant; `date` is the header `Date`, "" without one.
    `is_untimely` says that the server's certificate may be right, and the board's clock wrong.
    """

    def __init__(
        self, status: int, body: bytes = b"", error: str = "", cut: bool = False, poll_wait_s: int = 0
    ) -> None:
        self.open_ended = False
        self.date = ""
        self.is_untimely = False
        self.status = status
        self.body = body
        self.error = error
        self.cut = cut
        self.poll_wait_s = poll_wait_s

    @property
    def ok(self) -> bool:
        """Whether the server accepted."""
        return self.status in _SUCCESS

    def text(self) -> str:
        """The first words of the body, or of what went wrong, for a line of the log."""
        return "".join([chr(b) if b in _PRINTABLE else "." for b in self.body[:120]]) or self.error


class _Url:
    """Parts of `http[s]://host[:port][/prefix]`. Raises HttpError."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        self.secure = scheme == "https"
        host, _, prefix = rest.partition("/")
        self.prefix = "/" + prefix.rstrip("/") if prefix.rstrip("/") else ""
        self.authority = host
        name, _, port = host.partition(":")
        if scheme not in ("http", "https") or not name or not (port or "80").isdigit():
            raise HttpError("endereço do backend inválido")
        self.host = name
        self.port = int(port or (443 if self.secure else 80))


class HttpClient:
    """Requests one after the other; `transport` opens the connections."""

    def __init__(self, transport: "Transport", clock: "Clock", gap_ms: int = GAP_MS) -> None:
        self._transport = transport
        self._clock = clock
        self._gap_ms = gap_ms
        self._kept: Connection | None = None
        self._kept_for = ""
        self._closings = 0

    def request(
        self,
        method: str,
        base_url: str,
        path: str,
        *,
        token: "str | None" = None,
        body: "Callable[[], Iterable[bytes]] | None" = None,
        limit: int = 1024,
        repeatable: bool = True,
        wait: "Wait | None" = None,
    ) -> Response:
        """One exchange. `body` gives the JSON body in pieces, called twice; `limit` is for the answer's, in bytes.

        A request that is not `repeatable` goes over a fresh connection; another one is sent again, once, when the
        kept connection turns out to have been closed meanwhile. With `wait` the server may let it wait.
        """
        try:
            url = _Url(base_url)
            head = _head(method, url.prefix + path, url.authority, token, body)
            deadline = Deadline(self._clock, OVERALL_MS, self._gap_ms, wait)
            if not repeatable:
                self.close()
            return self._exchange(url, head, body, limit, deadline)
        except (HttpError, OSError, ValueError) as error:
            self.close()
            response = Response(0, b"", _words(error))
            response.is_untimely = any(sign in response.error for sign in _UNTIMELY)
            return response

    def close(self) -> None:
        """Drop the kept connection; one that is in use is not kept after that."""
        self._closings += 1
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _exchange(
        self,
        url: _Url,
        head: bytes,
        body: "Callable[[], Iterable[bytes]] | None",
        limit: int,
        deadline: Deadline,
    ) -> Response:
        kept = self._take_kept(url)
        if kept is not None:
            try:
                return self._send_and_read(kept, head, body, limit, deadline)
            except (HttpError, OSError):
                deadline.repeat()
        connection = self._transport.connect(url.host, url.port, url.secure, deadline)
        self._kept_for = f"{url.secure}{url.authority}"
        return self._send_and_read(connection, head, body, limit, deadline)

    def _take_kept(self, url: _Url) -> "Connection | None":
        """The kept connection, which is not kept any longer, if it leads there."""
        if self._kept_for != f"{url.secure}{url.authority}":
            self.close()
        kept, self._kept = self._kept, None
        return kept

    def _send_and_read(
        self,
        connection: "Connection",
        head: bytes,
        body: "Callable[[], Iterable[bytes]] | None",
        limit: int,
        deadline: Deadline,
    ) -> Response:
        """Keeps the connection after a whole response only: what is left of another would answer the next request."""
        keep = False
        closings = self._closings
        try:
            connection.write(head, deadline)
            for piece in body() if body else ():
                connection.write(piece, deadline)
            deadline.sent()
            response, keep = _Reader(connection, deadline).response(limit)
            keep = keep and closings == self._closings
        finally:
            if not keep:
                connection.close()
        if keep:
            self._kept = connection
        return response


class _Reader:
    """Reads one response from a connection."""

    def __init__(self, connection: "Connection", deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._buffer = b""

    def response(self, limit: int) -> "tuple[Response, bool]":
        """The response, and whether the connection may be used again."""
        version, status = self._status_line()
        headers = self._headers()
        while status == _CONTINUE:
            version, status = self._status_line()
            headers = self._headers()
        keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        poll_wait_s = _seconds(headers.get(_WAIT_HEADER, ""))
        if status in _WITHOUT_BODY:
            response = Response(status, poll_wait_s=poll_wait_s)
            response.date = headers.get(_DATE_HEADER, "")
            return response, keep and not self._buffer
        open_ended = False
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body, cut = self._chunked(limit)
        elif "content-length" in headers:
            body, cut = self._counted(_number(headers["content-length"], 10), limit)
        else:
            body, cut = self._until_closed(limit)
            open_ended = not cut
        response = Response(status, body, cut=cut, poll_wait_s=poll_wait_s)
        response.open_ended = open_ended
        response.date = headers.get(_DATE_HEADER, "")
        return response, keep and not (cut or open_ended or self._buffer)

    def _status_line(self) -> "tuple[str, int]":
        version, _, rest = self._line().partition(" ")
        if not version.startswith("HTTP/1."):
            raise HttpError("resposta não é HTTP")
        return version, _number(rest[:3], 10)

    def _headers(self) -> "dict[str, str]":
        """Those that the body's length depends on, and those that are handed over."""
        headers: dict[str, str] = {}
        for _ in range(_MAX_HEADERS):
            line = self._line()
            if not line:
                return headers
            name, _, value = line.partition(":")
            name = name.lower()
            if name in _LENGTH_HEADERS and len(line) >= _MAX_LINE_BYTES:
                raise HttpError("linha longa demais")
            if name in _LENGTH_HEADERS or name in (_WAIT_HEADER, _DATE_HEADER):
                headers[name] = value.strip()
        raise HttpError("cabeçalhos demais")

    def _counted(self, length: int, limit: int) -> "tuple[bytes, bool]":
        return self._take(min(length, limit)), length > limit

    def _chunked(self, limit: int) -> "tuple[bytes, bool]":
        body = b""
        while True:
            size = _number(self._line().partition(";")[0].strip(), 16)
            if size == 0:
                self._headers()
                return body, False
            body += self._take(min(size, limit + 1 - len(body)))
            if len(body) > limit:
                return body[:limit], True
            self._line()

    def _until_closed(self, limit: int) -> "tuple[bytes, bool]":
        while len(self._buffer) <= limit:
            if not self._fill():
                break
        return self._buffer[:limit], len(self._buffer) > limit

    def _take(self, count: int) -> bytes:
        """Exactly `count` bytes, gathered in place: the heap is small."""
        taken = bytearray(count)
        filled = 0
        while filled < count:
            if not self._buffer:
                self._fill_or_fail()
            piece = self._buffer[: count - filled]
            self._buffer = self._buffer[len(piece) :]
            taken[filled : filled + len(piece)] = piece
            filled += len(piece)
        return bytes(taken)

    def _line(self) -> str:
        """The next line; of a longer one than `_MAX_LINE_BYTES` only so much, the rest is skipped."""
        line = b""
        while b"\n" not in self._buffer:
            line = (line + self._buffer)[:_MAX_LINE_BYTES]
            self._buffer = b""
            self._fill_or_fail()
        rest, _, self._buffer = self._buffer.partition(b"\n")
        line = (line + rest)[:_MAX_LINE_BYTES]
        return "".join([chr(b) for b in line.rstrip(b"\r")])  # ISO 8859-1: no byte is wrong

    def _fill_or_fail(self) -> None:
        if not self._fill():
            raise HttpError("conexão fechada antes do fim")

    def _fill(self) -> bool:
        data = self._connection.read(_CHUNK_BYTES, self._deadline)
        self._buffer += data
        return bool(data)


def _head(
    method: str, path: str, authority: str, token: "str | None", body: "Callable[[], Iterable[bytes]] | None"
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {authority}", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines.append("Content-Type: application/json")
        lines.append(f"Content-Length: {sum([len(piece) for piece in body()])}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _number(text: str, base: int) -> int:
    """A number without sign, blanks or underscores; raises HttpError."""
    digits = "0123456789abcdef"[:base]
    if not text or len(text) > _MAX_DIGITS or not all(c in digits for c in text.lower()):
        raise HttpError("número inválido na resposta")
    return int(text, base)


def _seconds(text: str) -> int:
    """What a header offers; 0 for what is no number: an offer that cannot be understood is none."""
    try:
        return _number(text, 10)
    except HttpError:
        return 0


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
