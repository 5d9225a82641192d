"""MicroPython's `select` with time-outs in board time, woken by Ctrl-C and blind to sockets that the Wi-Fi lost."""

import select as _select

from runtime import bus
from runtime import time as _board_time

POLLIN = _select.POLLIN
POLLOUT = _select.POLLOUT
POLLERR = _select.POLLERR
POLLHUP = _select.POLLHUP


class _Poll:
    def __init__(self):
        self._real = _select.poll()
        self._sockets = []
        bus.watch_events(self._real)

    def register(self, stream, mask=POLLIN | POLLOUT):
        self._real.register(stream, mask)
        if hasattr(stream, "link_lost") and stream not in self._sockets:
            self._sockets.append(stream)

    def unregister(self, stream):
        self._real.unregister(stream)
        if stream in self._sockets:
            self._sockets.remove(stream)

    def modify(self, stream, mask):
        self._real.modify(stream, mask)

    def poll(self, timeout=-1, flags=0):
        _board_time.let_others_run()
        deadline = None if timeout is None or timeout < 0 else _board_time.now_us() + int(timeout * 1000)
        found = self._lost()
        if not found and timeout == 0:
            found = [pair for pair in self._real.poll(0) if not bus.is_events(pair[0])]
        elif not found:
            found = _board_time.wait_until(deadline, _Waiter(self))
        return found

    def ipoll(self, timeout=-1, flags=0):
        return iter(self.poll(timeout, flags))

    def _lost(self):
        return [(stream, POLLERR | POLLHUP) for stream in self._sockets if stream.link_lost()]


class _Waiter:
    """What `wait_until` polls: the real poller, and the sockets that died meanwhile."""

    def __init__(self, poll):
        self._poll = poll

    def poll(self, timeout_ms):
        return self._poll._lost() or self._poll._real.poll(timeout_ms)


def poll():
    return _Poll()


def select(readable, writable, broken, timeout=None):
    """The older call: three lists in, the ready ones of each out."""
    poller = poll()
    for stream in set(readable) | set(writable) | set(broken):
        poller.register(stream, (stream in readable and POLLIN) | (stream in writable and POLLOUT))
    ready = dict(
        (id(stream), events) for stream, events in poller.poll(-1 if timeout is None else int(timeout * 1000))
    )
    bad = POLLERR | POLLHUP
    return (
        [stream for stream in readable if ready.get(id(stream), 0) & (POLLIN | bad)],
        [stream for stream in writable if ready.get(id(stream), 0) & (POLLOUT | bad)],
        [stream for stream in broken if ready.get(id(stream), 0) & bad],
    )
