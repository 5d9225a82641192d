"""MicroPython's `socket` over the host's: dead while the Wi-Fi is off, stopped by Ctrl-C.

The network outside runs in the host's time whatever the board's speed, and so do a socket's time-outs.
"""

import errno
import io
import select as _select
import socket as _socket

from runtime import bus
from runtime import time as _time

AF_INET = _socket.AF_INET
AF_INET6 = _socket.AF_INET6
SOCK_STREAM = _socket.SOCK_STREAM
SOCK_DGRAM = _socket.SOCK_DGRAM
SOCK_RAW = _socket.SOCK_RAW
IPPROTO_TCP = 6
IPPROTO_UDP = 17
IPPROTO_IP = 0
SOL_SOCKET = _socket.SOL_SOCKET
SO_REUSEADDR = _socket.SO_REUSEADDR
TCP_NODELAY = 1

_POLL = 3
_CLOSE = 4
_GET_FILENO = 10
_NAME_NOT_FOUND = -202
_CHUNK = 1024
_IS_CONNECTED = (106, 56)  # EISCONN on Linux, on macOS; MicroPython's errno lacks it
_BROKEN = _select.POLLERR | _select.POLLHUP


def getaddrinfo(host, port, af=0, type=0, *_):
    """As on the board: ``[(family, type, protocol, name, (address, port))]``, IPv4."""
    _require_link()
    try:
        found = _socket.getaddrinfo(host, int(port), AF_INET, type or SOCK_STREAM)
    except OSError:
        raise OSError(_NAME_NOT_FOUND)  # noqa: B904 - MicroPython warns of `from`
    _time.look_outside()
    return [(AF_INET, entry[1], IPPROTO_TCP, "", _readable(entry[4])) for entry in found]


def _readable(address):
    family, packed, port = _socket.sockaddr(address)[:3]
    return (_socket.inet_ntop(family, packed), port)


def _packed(address):
    host, port = address[:2]
    try:
        return _socket.getaddrinfo(host or "0.0.0.0", port, AF_INET, SOCK_STREAM)[0][4]
    except OSError:
        raise OSError(_NAME_NOT_FOUND)  # noqa: B904 - MicroPython warns of `from`


def _require_link():
    _time.look_outside()
    if not bus.Link.up:
        raise OSError(errno.EHOSTUNREACH)


class socket(io.IOBase):
    """A socket; a stream that `select.poll` and `ssl` take."""

    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0, _accepted=None):
        self._real = _accepted or _socket.socket(af, type)
        self._real.setblocking(False)
        self._timeout_ms = None
        self._losses = bus.Link.losses
        self._closed = False

    def link_lost(self):
        """Whether the Wi-Fi went away since this socket was made."""
        return self._losses != bus.Link.losses

    def fileno(self):
        return self._real.fileno()

    def setblocking(self, blocking):
        self._timeout_ms = None if blocking else 0

    def settimeout(self, seconds):
        self._timeout_ms = None if seconds is None else int(seconds * 1000)

    def setsockopt(self, level, option, value):
        if level == SOL_SOCKET:
            self._real.setsockopt(level, option, value)

    def connect(self, address):
        _require_link()
        self._losses = bus.Link.losses
        try:
            self._real.connect(_packed(address))
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
            if self._timeout_ms == 0:
                raise
            self._finish_connect(address)

    def _finish_connect(self, address):
        self._wait(_select.POLLOUT)
        try:
            self._real.connect(_packed(address))
        except OSError as error:
            if error.errno not in _IS_CONNECTED:
                raise

    def bind(self, address):
        self._real.bind(_packed(address))

    def listen(self, backlog=2):
        self._real.listen(backlog)

    def accept(self):
        connection, address = self._retry(_select.POLLIN, self._real.accept)
        return socket(_accepted=connection), _readable(address)

    def send(self, data, flags=0):
        return self._retry(_select.POLLOUT, self._real.send, data)

    def sendall(self, data):
        view = memoryview(data)
        while view:
            view = view[self.send(view) :]

    def sendto(self, data, address):
        _require_link()
        return self._retry(_select.POLLOUT, self._real.sendto, data, _packed(address))

    def recv(self, size, flags=0):
        return self._retry(_select.POLLIN, self._real.recv, size)

    def recvfrom(self, size):
        data, address = self._retry(_select.POLLIN, self._real.recvfrom, size)
        return data, _readable(address)

    def write(self, data, *bounds):
        view = memoryview(data)
        if bounds:
            view = view[: bounds[0]] if len(bounds) == 1 else view[bounds[0] : bounds[0] + bounds[1]]
        if self._timeout_ms == 0:
            return self._unless_busy(self.send, view)
        self.sendall(view)
        return len(view)

    def read(self, size=-1):
        data = b""
        while size < 0 or len(data) < size:
            wanted = _CHUNK if size < 0 else min(_CHUNK, size - len(data))
            chunk = self._unless_busy(self.recv, wanted)
            if not chunk:
                return data or chunk
            data += chunk
        return data

    def readinto(self, buffer, limit=None):
        wanted = len(buffer) if limit is None else min(limit, len(buffer))
        chunk = self._unless_busy(self.recv, wanted)
        if chunk is None:
            return None
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readline(self, limit=-1):
        line = b""
        while not line.endswith(b"\n") and len(line) != limit:
            octet = self._unless_busy(self.recv, 1)
            if not octet:
                return line or octet
            line += octet
        return line

    def makefile(self, mode="rb", buffering=0):
        return self

    def ioctl(self, request, argument):
        if request == _GET_FILENO:
            return self._real.fileno()
        if request == _CLOSE:
            self.close()
            return 0
        if request == _POLL:
            return _BROKEN if self.link_lost() else self._ready_now(argument)
        return -errno.EINVAL

    def close(self):
        if not self._closed:
            self._closed = True
            self._real.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _retry(self, mask, operation, *arguments):
        self._check()
        while True:
            try:
                return operation(*arguments)
            except OSError as error:
                if error.errno != errno.EAGAIN or self._timeout_ms == 0:
                    raise
            self._wait(mask)

    def _wait(self, mask):
        """Until `mask` is ready; ETIMEDOUT when the time-out has passed, ECONNABORTED when the link is lost."""
        poller = _select.poll()
        poller.register(self._real, mask)
        bus.watch_events(poller)
        deadline = None if self._timeout_ms is None else _time.now_us() + self._board_us()
        while not self._ready_now(mask):
            due = _time.let_others_run()
            self._check()
            if deadline is not None and _time.now_us() >= deadline:
                raise OSError(errno.ETIMEDOUT)
            poller.poll(self._poll_ms(deadline, due))

    def _board_us(self):
        return self._timeout_ms * 1000000 // max(1, _time.real_us(1000))

    def _poll_ms(self, *deadlines_us):
        rests = [
            _time.real_us(when - _time.now_us()) // 1000 + 1 for when in deadlines_us if when is not None
        ]
        return max(0, min(rests)) if rests else -1

    def _ready_now(self, mask):
        poller = _select.poll()
        poller.register(self._real, mask)
        return sum(events for _, events in poller.poll(0))

    def _unless_busy(self, operation, argument):
        try:
            return operation(argument)
        except OSError as error:
            if error.errno == errno.EAGAIN and self._timeout_ms == 0:
                return None
            raise

    def _check(self):
        _time.look_outside()
        if self._closed:
            raise OSError(errno.EBADF)
        if self.link_lost():
            raise OSError(errno.ECONNABORTED)
