"""One item poured: the jar opened, held for its time and closed, whatever happens. Knows nothing of jobs or reports.

How far it got is kept in RTC memory every 100 ms and on flash at least once a second, so that after a cut no more than
that is poured again. Nothing slow is begun so close to the end that closing would be late.
"""

from . import watchdog
from .job_persistence import save_item
from .job_state import ABORTED, ACTUATOR, CRASHED, DONE, JobState, encode_retained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .parts import Parts

RETAIN_EVERY_MS = 100
CHECKPOINT_EVERY_MS = 950
FLASH_GUARD_MS = 450  # an erase stands still for 45 to 400 ms
SERVICE_GUARD_MS = 45  # the longest answer at 115200 baud; with it a request before the end still has 100 ms
CTRL_C_AGAIN_MS = 2_000
_CLOSE_ATTEMPTS = 5
CLOSE_WITHIN_MS = 5_000  # then the item's result is saved; a little later the board is reset (`jars`)
_MARGIN_MS = 15_000  # beyond the times asked for, before the watchdog is starved
_OPEN_MARGIN_MS = 1_000  # the same while the jar is open


class _ActuatorError(Exception):
    """The outputs did not obey."""


class Pour:
    """One attempt at one item; `run` gives the item's code and leaves what was poured in the state."""

    def __init__(self, parts: "Parts", state: JobState, index: int) -> None:
        self._parts = parts
        self._state = state
        self._index = index
        self._before_ms = state.poured_ms[index]
        self._target_ms = state.job.items[index].asked_ms - self._before_ms
        self._opened: int | None = None
        self._retained_ms = 0
        self._checkpoint_ms = 0
        self._vibrating = False
        self._ctrl_c: int | None = None
        self._stopped = False

    def run(self) -> int:
        """Pour what is left of the item. Raises KeyboardInterrupt after a second Ctrl-C, closed and saved."""
        self._begin()
        try:
            code = self._attempt()
        finally:
            self._end()
        if self._stopped:
            self._parts.console.log("EXEC", "⚠ Parado por Ctrl-C: frasco fechado, progresso salvo.")
            raise KeyboardInterrupt
        return code

    def _attempt(self) -> int:
        try:
            self._pour()
        except _ActuatorError:
            return ACTUATOR
        except Exception as error:
            self._parts.console.write_line(self._parts.system.exception_text(error))
            return CRASHED
        whole = self._state.is_poured(self._index)  # then an abort while it shakes comes too late
        return ABORTED if self._parts.abort_requested and not whole else DONE

    def _begin(self) -> None:
        parts = self._parts
        self._state.begin(self._index)
        self._save()
        parts.system.collect()
        parts.watchdog.allow(_MARGIN_MS)
        parts.watchdog.arm(watchdog.POURING_MS)
        parts.console.on_ctrl_c = self._on_ctrl_c
        parts.pouring = True

    def _end(self) -> None:
        """The jar is closed; what was poured is saved also when the way here was an exception."""
        parts = self._parts
        self._save()
        parts.pouring = False
        parts.watchdog.arm(watchdog.NORMAL_MS)
        parts.console.on_ctrl_c = _interrupt

    def _pour(self) -> None:
        motor = self._state.job.motor
        try:
            if motor:  # it shakes from before the opening until after the closing
                self._vibrate(motor.intensity)
                self._wait(motor.pre_start_delay_ms)
            if self._target_ms > 0 and not self._ended_early():
                self._hold_open()
            if motor and not self._ended_early():
                self._wait(motor.post_stop_delay_ms)
        finally:
            self._close(self._parts.outputs.close_all)

    def _hold_open(self) -> None:
        """The jar is open for exactly the target, unless the operator ends it."""
        parts = self._parts
        parts.watchdog.allow(self._target_ms + _OPEN_MARGIN_MS)
        self._retain(is_open=True)
        try:
            self._open(self._state.job.items[self._index].frasco)
            self._opened = parts.clock.ticks_ms()
            while not self._ended_early():
                left_ms = self._target_ms - self._elapsed_ms()
                if left_ms <= 0:
                    break
                if left_ms <= SERVICE_GUARD_MS:
                    parts.clock.sleep_ms(left_ms)
                else:
                    self._keep_progress(left_ms)
                    self._wait_before_end()
        finally:
            self._close(parts.outputs.close_jars)
            parts.watchdog.allow(_MARGIN_MS)

    def _wait_before_end(self) -> None:
        left_ms = self._target_ms - self._elapsed_ms() - SERVICE_GUARD_MS
        if left_ms > 0:
            self._parts.idle.wait_ms(min(left_ms, RETAIN_EVERY_MS // 2))

    def _keep_progress(self, left_ms: int) -> None:
        elapsed_ms = self._elapsed_ms()
        self._state.poured_ms[self._index] = self._before_ms + elapsed_ms
        self._limit_vibration(elapsed_ms)
        if elapsed_ms - self._retained_ms >= RETAIN_EVERY_MS:
            self._retained_ms = elapsed_ms
            self._state.attempts[self._index] = 0  # it gets on
            self._retain(is_open=True)
        if self._checkpoint_due(elapsed_ms - self._checkpoint_ms, left_ms):
            self._checkpoint_ms = elapsed_ms
            self._save()

    def _checkpoint_due(self, since_ms: int, left_ms: int) -> bool:
        """At least once a second, but not in the last moments: then once more right before them, if needed."""
        if left_ms <= FLASH_GUARD_MS:
            return False
        last_chance = left_ms <= FLASH_GUARD_MS + RETAIN_EVERY_MS
        return since_ms >= CHECKPOINT_EVERY_MS or (last_chance and since_ms + left_ms > CHECKPOINT_EVERY_MS)

    def _open(self, jar: int) -> None:
        try:
            self._parts.outputs.open(jar)
        except OSError:
            raise _ActuatorError

    def _close(self, close: "Callable[[], None]") -> None:
        """Close, several times if the bus does not answer; raises _ActuatorError if it stays so for long."""
        try:
            if not self._closed_at_once(close):
                self._wait_until_closed()
                raise _ActuatorError
        finally:
            if self._opened is not None:
                self._note_elapsed()
                self._opened = None
                self._retain(is_open=self._parts.outputs.unclosed)

    def _closed_at_once(self, close: "Callable[[], None]") -> bool:
        for _ in range(_CLOSE_ATTEMPTS):
            try:
                close()
            except OSError:
                self._parts.watchdog.feed()  # a bus that is stuck takes up to 600 ms to say so
            else:
                return True
        return False

    def _wait_until_closed(self) -> None:
        """The jar may be open: what comes out is counted while `jars` tries to close it."""
        parts = self._parts
        parts.watchdog.allow(_MARGIN_MS)
        while parts.outputs.unclosed and parts.outputs.unclosed_ms < CLOSE_WITHIN_MS and not self._stopped:
            parts.idle.wait_ms(RETAIN_EVERY_MS)
            if self._opened is not None:
                self._note_elapsed()
                self._retain(is_open=True)

    def _note_elapsed(self) -> None:
        self._state.poured_ms[self._index] = self._before_ms + self._elapsed_ms()

    def _retain(self, *, is_open: bool) -> None:
        self._parts.retained.write(encode_retained(self._state, self._index, is_open))

    def _save(self) -> None:
        try:
            save_item(self._parts.storage, self._state, self._index)
        except OSError as error:
            self._parts.console.log("PERSIST", f"✗ Progresso não salvo: {error}")

    def _elapsed_ms(self) -> int:
        clock = self._parts.clock
        return 0 if self._opened is None else clock.ticks_diff(clock.ticks_ms(), self._opened)

    def _vibrate(self, percent: int) -> None:
        try:
            self._parts.outputs.vibrate(percent)
        except OSError:
            raise _ActuatorError
        self._vibrating = percent > 0

    def _limit_vibration(self, elapsed_ms: int) -> None:
        motor = self._state.job.motor
        if self._vibrating and motor and elapsed_ms + motor.pre_start_delay_ms >= motor.max_runtime_ms:
            self._vibrate(0)

    def _wait(self, duration_ms: int) -> None:
        """Wait in slices, so that an abort or a Ctrl-C is obeyed at once."""
        clock = self._parts.clock
        began = clock.ticks_ms()
        while not self._ended_early():
            left_ms = duration_ms - clock.ticks_diff(clock.ticks_ms(), began)
            if left_ms <= 0:
                return
            self._parts.idle.wait_ms(min(left_ms, RETAIN_EVERY_MS))

    def _ended_early(self) -> bool:
        return self._stopped or self._parts.abort_requested

    def _on_ctrl_c(self) -> None:
        """The first is refused with a line; a second within two seconds ends the pour."""
        clock = self._parts.clock
        now = clock.ticks_ms()
        if self._ctrl_c is not None and clock.ticks_diff(now, self._ctrl_c) <= CTRL_C_AGAIN_MS:
            self._stopped = True
            return
        self._ctrl_c = now
        jar = self._state.job.items[self._index].frasco
        text = f"⚠ Ctrl-C recusado: frasco {jar} em uso. Repita em 2 s para fechar, salvar e parar."
        self._parts.console.log("EXEC", text)


def _interrupt() -> None:
    raise KeyboardInterrupt
