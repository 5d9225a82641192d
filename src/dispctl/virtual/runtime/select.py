"""MicroPython's `select` with time-outs in board time, woken by Ctrl-C and blind to sockets that the Wi-Fi lost."""

# ruff: noqa: D103 - the functions are MicroPython's own, described in its documentation

import select as _select

from runtime import bus
from runtime import time as _board_time

POLLIN = _select.POLLIN
POLLOUT = _select.POLLOUT
POLLERR = _select.POLLERR
POLLHUP = _select.POLLHUP


class _Poll:
    def __init__(self):
        self.real = _select.poll()
        self._sockets = []
        bus.watch_events(self.real)

    def register(self, stream, mask=POLLIN | POLLOUT):
        self.real.register(stream, mask)
        if hasattr(stream, "link_lost") and stream not in self._sockets:
            self._sockets.append(stream)

    def unregister(self, stream):
        self.real.unregister(stream)
        if stream in self._sockets:
            self._sockets.remove(stream)

    def modify(self, stream, mask):
        self.real.modify(stream, mask)

    def poll(self, timeout=-1, flags=0):
        _board_time.let_others_run()
        deadline = None if timeout is None or timeout < 0 else _board_time.now_us() + int(timeout * 1000)
        found = self.lost()
        if not found and timeout == 0:
            found = [pair for pair in self.real.poll(0) if not bus.is_events(pair[0])]
        elif not found:
            found = _board_time.wait_until(deadline, _Waiter(self))
        return found

    def ipoll(self, timeout=-1, flags=0):
        return iter(self.poll(timeout, flags))

    def lost(self):
        return [(stream, POLLERR | POLLHUP) for stream in self._sockets if stream.link_lost()]


class _Waiter:
    """What `wait_until` polls: the real poller, and the sockets that died meanwhile."""

    def __init__(self, poll):
        self._poll = poll

    def poll(self, timeout_ms):
        return self._poll.lost() or self._poll.real.poll(timeout_ms)


def poll():
    return _Poll()
