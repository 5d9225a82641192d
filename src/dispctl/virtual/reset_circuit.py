"""The two transistors between a DevKit's USB bridge and the chip: DTR and RTS in, EN and IO0 out; has no clock.

EN is pulled low while RTS is asserted and DTR is not, IO0 while DTR is asserted and RTS is not; with both asserted
or both released the circuit lets go of both pins, so that opening and closing a port resets nothing.

On its way up EN is held back by a capacitor. It is what makes esptool's sequence work: from "in reset" (RTS alone)
it goes through both asserted to "IO0 low" (DTR alone), and the chip must still be in reset when it gets there. On
a DevKit that state lasts microseconds and the capacitor milliseconds; an RFC 2217 client waits at least 50 ms after
each line, so this one holds for `EN_RISE_S` in that state.
"""

from __future__ import annotations

from enum import Enum

EN_RISE_S = (
    0.4  # pyserial's RFC 2217 client needs about 0.06 s between two lines, several times that on a busy host
)


class Strapping(Enum):
    """What the chip does as it leaves reset: the level of IO0 at that moment."""

    RUN = "run"
    DOWNLOAD = "download"


class ResetCircuit:
    """EN and IO0 as functions of DTR and RTS (True: asserted), and of the time since they changed.

    `in_reset` tells whether EN is low, `download` whether IO0 is. `rise_at_s` is the time at which EN will come up by
    itself, or None: whoever owns the object calls `settle` then.
    """

    def __init__(self) -> None:
        self.in_reset = False
        self.download = False
        self.rise_at_s: float | None = None

    def change(self, *, dtr: bool, rts: bool, now_s: float) -> Strapping | None:
        """Take the lines' new state at `now_s` (any steady clock).

        Returns how the chip starts if it leaves reset by this change, else None; look at `in_reset` to see whether
        it was put into reset.
        """
        started = self.settle(now_s)
        self.download = dtr and not rts
        if rts and not dtr:
            self.in_reset, self.rise_at_s = True, None
            return None
        if not self.in_reset:
            return started
        if dtr and rts:
            self.rise_at_s = now_s + EN_RISE_S if self.rise_at_s is None else self.rise_at_s
            return None
        return self._leave_reset()

    def settle(self, now_s: float) -> Strapping | None:
        """Let EN come up if its time has come by `now_s`; returns how the chip starts, or None."""
        if self.rise_at_s is None or now_s < self.rise_at_s:
            return None
        return self._leave_reset()

    def _leave_reset(self) -> Strapping:
        self.in_reset, self.rise_at_s = False, None
        return Strapping.DOWNLOAD if self.download else Strapping.RUN
