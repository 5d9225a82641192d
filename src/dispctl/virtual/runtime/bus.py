"""The wires from the interpreter to the hardware around it; knows what crosses them, not what it means.

Two descriptors are inherited, their numbers given as arguments. `BUS` carries requests: one byte of operation, the
payload's length as two bytes little-endian, the payload; an answer has the same shape, its first byte an errno or 0.
`EVENTS` brings single bytes from outside: ``I`` somebody typed Ctrl-C, ``U`` and ``D`` the Wi-Fi link came up, went down.
The operations are those of ``bus.py`` on the other side.
"""

import json
import os
import select
import struct
import sys

HELLO = 1
PROGRAM = 2
ERASE = 3
KBD_INTR = 4
INTERRUPT_TAKEN = 5
RESET = 6
SOFT_RESET = 7
RTC_MEMORY_READ = 8
RTC_MEMORY_WRITE = 9
RTC_TIME = 10
WDT = 11
PIN_OUT = 12
PIN_RELEASE = 13
PIN_READ = 14
PWM = 15
I2C_WRITE = 16
I2C_READ = 17
WIFI = 18
SYNC = 19

_POLLIN = 1
_HEADER_BYTES = 3
_INTERRUPT, _LINK_UP, _LINK_DOWN = b"IUD"

_bus = open(int(sys.argv[1]), "r+b")
_events = open(int(sys.argv[2]), "rb")
_head = bytearray(7)
_answer = bytearray(3)
_event = bytearray(1)
_poller = select.poll()
_poller.register(_events, _POLLIN)
_under_way = False


class Link:
    """Whether the Wi-Fi link is up, and how often it went down: a socket older than that is dead."""

    up = False
    losses = 0


def send(op, payload=b""):
    """Tell something that has no answer."""
    struct.pack_into("<BH", _head, 0, op, len(payload))
    _bus.write(bytes(_head[:3]) + payload)


def request(op, payload=b""):
    """Ask, and return the answer's payload; an answer other than 0 is raised as an OSError of that number."""
    global _under_way
    _begin()
    send(op, payload)
    length = _await_answer()
    answer = _bus.read(length) if length else b""
    _under_way = False
    if _answer[0]:
        raise OSError(_answer[0])
    return answer


def ask(op, **fields):
    """`request` for what is rare: fields and answer travel as JSON."""
    return json.loads(request(op, json.dumps(fields).encode()))


def program(offset, data):
    """Program flash; allocates nothing, for littlefs also writes when the heap is locked. Returns 0 or -errno."""
    _begin()
    struct.pack_into("<BHI", _head, 0, PROGRAM, len(data) + 4, offset)
    _bus.write(_head)
    _bus.write(data)
    return _end()


def erase(offset):
    """Erase the 4096-byte sector at `offset`; allocates nothing. Returns 0 or -errno."""
    _begin()
    struct.pack_into("<BHI", _head, 0, ERASE, 4, offset)
    _bus.write(_head)
    return _end()


def _begin():
    global _under_way
    if _under_way:
        _resynchronise()
    _under_way = True


def _end():
    global _under_way
    _await_answer()
    _under_way = False
    return -_answer[0]


def _await_answer():
    if _bus.readinto(_answer, _HEADER_BYTES) != _HEADER_BYTES:
        die()
    return _answer[1] | _answer[2] << 8


def _resynchronise():
    # A signal's KeyboardInterrupt left an answer, or half of one, unread: a marked answer says where the next begins.
    send(SYNC)
    window = b""
    while not window.endswith(b"\x00\x04\x00SYNC"):
        window = (window + _bus.read(1))[-7:]


def take_events():
    """Act on what has come from outside; raises KeyboardInterrupt when that was Ctrl-C."""
    interrupted = False
    for _ in _poller.ipoll(0):
        interrupted = _take_event() or interrupted
    if interrupted:
        send(INTERRUPT_TAKEN)
        raise KeyboardInterrupt


def drop_interrupts():
    """Forget a Ctrl-C that came too late to stop what it was meant for."""
    try:
        take_events()
    except KeyboardInterrupt:
        pass


def watch_events(poller):
    """Make `poller` wake when something comes from outside."""
    poller.register(_events, _POLLIN)


def is_events(stream):
    """Whether `stream` is the one that `watch_events` added."""
    return stream is _events


def _take_event():
    count = _events.readinto(_event, 1)
    if count == 0:
        die()
    if count is None:
        return False  # taken back from outside
    if _event[0] == _LINK_UP:
        Link.up = True
    elif _event[0] == _LINK_DOWN:
        Link.up = False
        Link.losses += 1
    return _event[0] == _INTERRUPT


def die():
    """End this process at once and without any clean-up, as a chip loses its power."""
    os.system("kill -9 $PPID")  # noqa: S605 - the only way this port has; nothing of it comes from outside
