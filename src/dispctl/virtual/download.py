"""Download mode on the board: the loader between the UART and a flash that may need its time; no power, no reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispctl.virtual import slip
from dispctl.virtual.flash import PowerCutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispctl.virtual.rom_loader import RomLoader


class Download:
    """Feeds `loader`. While the flash is busy what comes waits in the UART's buffer.

    `take_busy_s()` is how long the flash needs for what it was told since it was asked last, `later(seconds, call)` calls
    back and returns what cancels it, `answer(data)` sends, `on_power_cut()` is told when the flash lost its power.
    """

    def __init__(
        self,
        loader: RomLoader,
        *,
        take_busy_s: Callable[[], float],
        later: Callable[[float, Callable[[], None]], Callable[[], None]],
        answer: Callable[[bytes], None],
        on_power_cut: Callable[[], None],
    ) -> None:
        self._loader = loader
        self._take_busy_s = take_busy_s
        self._later = later
        self._answer = answer
        self._on_power_cut = on_power_cut
        self._received = bytearray()
        self._cancel: Callable[[], None] | None = None

    def begin(self) -> None:
        """The chip has just started in download mode."""
        self.stop()
        self._loader.reset()

    def stop(self) -> None:
        """The chip was reset, lost its power or left download mode: nothing is answered any more."""
        self._received.clear()
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def receive(self, data: bytes) -> None:
        """Bytes from the UART."""
        self._received += data
        if self._cancel is None:
            self._go_on()

    def _go_on(self) -> None:
        self._cancel = None
        while self._received and self._cancel is None:
            self._feed(self._take_piece())

    def _take_piece(self) -> bytes:
        """What has come up to the next edge of a frame, so that the loader is given one request at a time."""
        end = self._received.find(slip.END) + 1 or len(self._received)
        piece = bytes(self._received[:end])
        del self._received[:end]
        return piece

    def _feed(self, piece: bytes) -> None:
        try:
            answer = self._loader.feed(piece)
        except PowerCutError:
            self._on_power_cut()
            return
        busy_s = self._take_busy_s()
        if not busy_s:
            self._answer(answer)
        elif self._loader.answers_early:
            self._answer(answer)
            self._cancel = self._later(busy_s, self._go_on)
        else:
            self._cancel = self._later(busy_s, lambda: self._answer_late(answer))

    def _answer_late(self, answer: bytes) -> None:
        self._answer(answer)
        self._go_on()
