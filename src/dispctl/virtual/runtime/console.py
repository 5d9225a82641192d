"""The UART as a program sees it: `sys.stdin` and `sys.stdout` of an ESP32, over the pipes of this process.

What `print` writes goes straight to descriptor 1, with bare line feeds; whoever reads the other end adds the carriage
returns. What must stay as it is (`sys.stdout.buffer`, the REPL's own protocol) is marked in band: 0xFF, which no UTF-8
text holds, stands before a line feed that is to stay bare and before a 0xFF that is meant.
"""

import io
import sys as _sys

from runtime import time as _time

_GET_FILENO = 10
_CTRL_D, _LINE_FEED, _CARRIAGE_RETURN = 4, 10, 13
_RUBOUTS = (8, 127)

_in = open(0, "rb")
_out = open(1, "wb")
_byte = bytearray(1)


def _make_poller():
    import select

    from runtime import bus

    poller = select.poll()
    poller.register(_in, select.POLLIN)
    bus.watch_events(poller)
    return poller


_poller = _make_poller()


def read_byte():
    """The next byte from the UART, waited for; Ctrl-C is raised meanwhile where it is enabled."""
    for found in _poller.poll(0):
        if found[0] is _in:
            break
    else:
        _time.wait_until(None, _poller)
    _in.readinto(_byte, 1)
    return _byte[0]


def write_raw(data):
    """Send `data` as it is, without any carriage return added."""
    data = bytes(data)
    if b"\n" in data or b"\xff" in data:
        data = data.replace(b"\xff", b"\xff\xff").replace(b"\n", b"\xff\n")
    _out.write(data)


class _Input(io.IOBase):
    def __init__(self, cooked):
        self._cooked = cooked

    def readinto(self, buffer, limit=None):
        wanted = len(buffer) if limit is None else min(limit, len(buffer))
        for index in range(wanted):
            buffer[index] = self._next()
        return wanted

    def read(self, size=-1):
        if size is None or size < 0:
            raise OSError(22)  # the UART has no end
        data = bytearray(size)
        self.readinto(data)
        return self._shape(data)

    def readline(self, limit=-1):
        line = bytearray()
        while not line.endswith(b"\n") and len(line) != limit:
            line.append(self._next())
        return self._shape(line)

    def __iter__(self):
        return self

    def __next__(self):
        return self.readline()

    def ioctl(self, request, argument):
        return 0 if request == _GET_FILENO else -22

    def close(self):
        pass

    def _next(self):
        byte = read_byte()
        return _LINE_FEED if self._cooked and byte == _CARRIAGE_RETURN else byte

    def _shape(self, data):
        return str(data, "utf-8") if self._cooked else bytes(data)


class _Output(io.IOBase):
    def __init__(self, cooked):
        self._cooked = cooked

    def write(self, data, *bounds):
        octets = data.encode() if isinstance(data, str) else bytes(data)
        if bounds:
            octets = octets[: bounds[0]] if len(bounds) == 1 else octets[bounds[0] : bounds[0] + bounds[1]]
        _time.look_outside()
        if self._cooked:
            _out.write(octets.replace(b"\xff", b"\xff\xff"))
        else:
            write_raw(octets)
        return len(octets)

    def flush(self):
        pass

    def ioctl(self, request, argument):
        return 1 if request == _GET_FILENO else -22

    def close(self):
        pass


stdin = _Input(cooked=True)
stdin.buffer = _Input(cooked=False)
stdout = _Output(cooked=True)
stdout.buffer = _Output(cooked=False)
stderr = stdout


def read_line(prompt=""):
    """The built-in `input`: shows `prompt`, echoes what is typed, returns it without the line's end."""
    _out.write(prompt.encode())
    line = bytearray()
    while True:
        byte = read_byte()
        if byte in (_LINE_FEED, _CARRIAGE_RETURN):
            _out.write(b"\n")
            return str(line, "utf-8")
        if byte == _CTRL_D and not line:
            raise EOFError
        if byte in _RUBOUTS:
            if line:
                line = line[:-1]
                _out.write(b"\x08 \x08")
            continue
        line.append(byte)
        _out.write(bytes((byte,)))


def print_exception(exception, file=None):
    """`sys.print_exception` without the lines that belong to this runtime, which on a chip are C."""
    text = io.StringIO()
    _sys.print_exception(exception, text)
    shown = _without_runtime(text.getvalue())
    if file is None:
        _out.write(shown.encode().replace(b"\xff", b"\xff\xff"))
    else:
        file.write(shown)


def _without_runtime(text):
    lines = text.split("\n")
    kept = [line for line in lines if "virtual/runtime/" not in line]
    return "\n".join(kept)
