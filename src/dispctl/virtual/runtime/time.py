"""MicroPython's `time` of an ESP32 over the host's, at the speed that the board was started with.

Every call also looks, at most once a millisecond, at what has come from outside, so that Ctrl-C reaches a program that
waits by looking at the clock.
"""

# ruff: noqa: D103 - the functions are MicroPython's own, described in its documentation

import select as _select
import time as _time

from runtime import bus

_PERIOD = 1 << 30
_HALF = _PERIOD >> 1
_LOOK_EVERY_US = 1000
_SHORT_US = 1500
_EPOCH_2000 = 946684800
_MARCH = 3

_origin = _time.ticks_us()
_looked = _origin
_speed_milli = 1000
_rtc_offset_us = 0
_hooks = []


def set_up(speed_milli, rtc_us):
    """Run `speed_milli` / 1000 times as fast as the host, from a real-time clock that shows `rtc_us` since 2000."""
    global _speed_milli, _rtc_offset_us
    _speed_milli = speed_milli
    _rtc_offset_us = rtc_us - now_us()


def set_rtc(rtc_us):
    """Let the real-time clock show `rtc_us` microseconds since 2000 from now on."""
    global _rtc_offset_us
    _rtc_offset_us = rtc_us - now_us()


def add_hook(hook):
    """Have `hook()` called whenever the program lets others run; it returns when it wants the next call, or None."""
    _hooks.append(hook)


def now_us():
    """Microseconds of board time since this interpreter started."""
    return (_time.ticks_us() - _origin) * _speed_milli // 1000


def real_us(board_us):
    """How long `board_us` of board time take, in microseconds of the host."""
    return board_us * 1000 // _speed_milli


def look_outside():
    """Let Ctrl-C, the Wi-Fi and timers in, unless that was done within the last millisecond."""
    global _looked
    now = _time.ticks_us()
    if now - _looked > _LOOK_EVERY_US:
        _looked = now
        let_others_run()


def let_others_run():
    """Let Ctrl-C, the Wi-Fi and timers in; returns the board time at which the next timer is due, or None."""
    bus.take_events()
    due = None
    for hook in _hooks:
        wanted = hook()
        if wanted is not None and (due is None or wanted < due):
            due = wanted
    return due


def wait_until(deadline_us, poller=None):
    """Wait for `deadline_us` of board time (None: for ever) or until `poller` has something, which is returned.

    Timers run and Ctrl-C is raised meanwhile.
    """
    poller = poller or _idle_poller
    while True:
        due = let_others_run()
        if due is None or (deadline_us is not None and deadline_us < due):
            due = deadline_us
        ready = _wait_once(poller, due)
        if ready or (deadline_us is not None and now_us() >= deadline_us):
            return ready


def _wait_once(poller, due_us):
    ready = _ready(poller, _poll_ms(due_us))
    if ready or due_us is None:
        return ready
    rest = real_us(due_us - now_us())
    # What is left is less than the millisecond that poll() can measure, or poll() woke for an event.
    if 0 < rest < _SHORT_US:
        _time.sleep_us(rest)
        return _ready(poller, 0)
    return ready


def _poll_ms(due_us):
    if due_us is None:
        return -1
    return max(0, (real_us(due_us - now_us()) - 300) // 1000)


def _ready(poller, timeout_ms):
    return [found for found in poller.poll(timeout_ms) if not bus.is_events(found[0])]


def sleep_us(us):
    wait_until(now_us() + us)


def sleep_ms(ms):
    wait_until(now_us() + ms * 1000)


def sleep(seconds):
    wait_until(now_us() + int(seconds * 1000000))


def ticks_us():
    look_outside()
    return now_us() & (_PERIOD - 1)


def ticks_ms():
    look_outside()
    return now_us() // 1000 & (_PERIOD - 1)


def ticks_cpu():
    return now_us() * 160 & (_PERIOD - 1)


def ticks_add(ticks, delta):
    return ticks + delta & (_PERIOD - 1)


def ticks_diff(later, earlier):
    return (later - earlier + _HALF & (_PERIOD - 1)) - _HALF


def time_ns():
    look_outside()
    return (now_us() + _rtc_offset_us) * 1000


def time():
    look_outside()
    return (now_us() + _rtc_offset_us) // 1000000


def gmtime(seconds=None):
    when = time() if seconds is None else int(seconds)
    return _time.gmtime(when + _EPOCH_2000)[:8]


def mktime(fields):
    # The board's time zone is UTC, so days are counted here and not by the host's mktime.
    year, month, day, hour, minute, second = fields[:6]
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    shifted = year - (month < _MARCH)
    days = 365 * shifted + shifted // 4 - shifted // 100 + shifted // 400
    days += (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 730425
    return ((days * 24 + hour) * 60 + minute) * 60 + second


localtime = gmtime

_idle_poller = _select.poll()
bus.watch_events(_idle_poller)
