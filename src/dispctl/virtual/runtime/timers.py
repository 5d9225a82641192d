"""`machine.Timer`: its callbacks run while the program waits, reads the clock or polls, as soft interrupts do."""

from runtime import time as _time

_running = []


class Timer:
    """A timer, `id` -1 (virtual) or 0 to 3."""

    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **options):
        self._id = id
        if options:
            self.init(**options)

    def init(self, *, mode=PERIODIC, period=-1, freq=None, callback=None, hard=False, tick_hz=1000):
        self.deinit()
        self._period_us = int(1000000 / freq) if freq else period * 1000000 // tick_hz
        self._periodic = mode == Timer.PERIODIC
        self._callback = callback
        self.due_us = _time.now_us() + self._period_us
        _running.append(self)

    def deinit(self):
        if self in _running:
            _running.remove(self)

    def value(self):
        return (self._period_us - (self.due_us - _time.now_us())) // 1000

    def fire(self, now_us):
        """Call back, and be due again one period later if periodic."""
        if self._periodic:
            self.due_us = max(self.due_us + self._period_us, now_us + 1)
        else:
            self.deinit()
        if self._callback:
            self._callback(self)


_firing = False


def run_due():
    """Call back every timer whose time has come; returns when the next is due, or None."""
    global _firing
    if _firing or not _running:
        return None
    _firing = True
    try:
        now_us = _time.now_us()
        for timer in [timer for timer in _running if timer.due_us <= now_us]:
            timer.fire(now_us)
    finally:
        _firing = False
    return min((timer.due_us for timer in _running), default=None)


_time.add_hook(run_due)
