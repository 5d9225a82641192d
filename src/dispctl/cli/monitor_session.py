"""A person at a running monitor: keys obeyed between lines, typing passed on, recordings begun and ended."""

from __future__ import annotations

import queue
import re
import sys
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dispctl.cli.hotkeys import Action, FilterTyped, Hotkeys, MenuLeft, MenuOpened, Pressed, Typed, Unmeant
from dispctl.cli.monitor_view import next_level
from dispctl.errors import BoardNotFoundError, UsageError
from dispctl.logs.events import LEVELS
from dispctl.logs.filter import parse_filter

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

    from dispctl.adapters.port_reader import PortItem, PortReaders
    from dispctl.cli.hotkeys import KeyEvent
    from dispctl.cli.monitor_view import MonitorView

MENU = "h help · r reset · y pause · l log · i times · v level · f filter · x quit"
HELP = (
    "Ctrl-]      quit",
    "Ctrl-T      menu; then, with or without Ctrl:",
    "  h         this help",
    "  r         reset the board",
    "  y         pause the output, and go on",
    "  l         begin a recording of every byte, and end it",
    "  i         times before lines",
    "  v         level: debug, info, warning, error",
    "  f         filter: EXEC a tag, -WIFI all but it, warning a level,",
    "            /…/ an expression; empty for all",
    "  x         quit",
    "  Ctrl-T    Ctrl-T itself, with --interactive",
)


class Recording:
    """Raw bytes into files, one for each board; `write` of a `Sink` does nothing while no file is open."""

    def __init__(self, boards: Sequence[str]) -> None:
        self.sinks = {board: Sink() for board in boards}

    def begin(self, path: Path) -> str:
        """Append to `path`, with several boards to one beside it for each; returns its name. Raises UsageError."""
        for board, sink in self.sinks.items():
            sink.open(
                path if len(self.sinks) == 1 else path.with_name(f"{path.stem}-{_safe(board)}{path.suffix}")
            )
        return path.name

    def end(self) -> None:
        """Close the files."""
        for sink in self.sinks.values():
            sink.close()


class Sink:
    """One board's record."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None

    def open(self, path: Path) -> None:
        """Append to `path` from now on; raises UsageError."""
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from error

    def write(self, data: bytes) -> None:
        """Keep `data`, if a file is open; raises UsageError when it cannot be kept, a full disk say."""
        if self._file is None:
            return
        try:
            self._file.write(data)
        except OSError as error:
            raise UsageError(f"{self._file.name} cannot be written: {error.strerror}.") from error

    def close(self) -> None:
        """Write the rest and close."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            file.close()
        except OSError as error:
            raise UsageError(f"{file.name} cannot be written: {error.strerror}.") from error


def _safe(board: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", board)


class Session:
    """Takes items through to the monitor and obeys the keys between them; `keys` runs the keyboard."""

    def __init__(
        self,
        ports: PortReaders,
        boards: Sequence[str],
        recording: Recording,
        stop: threading.Event,
        *,
        interactive: bool,
    ) -> None:
        self._ports, self._boards, self._recording, self._stop = ports, boards, recording, stop
        self._interactive = interactive
        self._hotkeys = Hotkeys(interactive=interactive)
        self._presses: queue.SimpleQueue[KeyEvent] = queue.SimpleQueue()
        self._told_unmeant = False

    @contextmanager
    def keys(self) -> Iterator[bool]:
        """The keyboard is heard while the block runs, if it yields True.

        A pipe is typed to the board where typing was asked for, and is not read where it was not.
        """
        from dispctl.cli.keyboard import keys_pressed, standard_input

        with ExitStack() as stack:
            if self._interactive and not sys.stdin.isatty():
                stack.enter_context(standard_input(self._type))
            yield stack.enter_context(keys_pressed(self._hear, everything=self._interactive))

    def attended(
        self, items: Iterable[tuple[str, PortItem]], view: MonitorView
    ) -> Iterator[tuple[str, PortItem]]:
        """The same items; keys are obeyed before each, and at the end those pressed before the one that leaves."""
        for found in items:
            self._obey_all(view)
            yield found
        self._obey_all(view)

    def _hear(self, key: bytes) -> bool:
        """On the keyboard's thread: typing goes to the board at once, all else waits for its turn; whether to go on."""
        event = self._hotkeys.press(key[0]) if key else Pressed(Action.QUIT)
        if event == Pressed(Action.QUIT):
            self._stop.set()
            return False
        if isinstance(event, Typed):
            self._type(event.data)
        elif not (isinstance(event, Unmeant) and self._told_unmeant):
            self._told_unmeant |= isinstance(event, Unmeant)
            self._presses.put(event)
        return True

    def _type(self, data: bytes) -> None:
        try:
            self._ports.write(self._boards[0], data)
        except BoardNotFoundError:
            self._presses.put(Typed(data))

    def _obey_all(self, view: MonitorView) -> None:
        while not self._presses.empty():
            self._obey(self._presses.get(), view)

    def _obey(self, event: KeyEvent, view: MonitorView) -> None:
        view.question = None
        match event:
            case MenuOpened():
                view.question = f"Ctrl-T: {MENU}"
            case FilterTyped(text, entered=False):
                view.question = f"filter (EXEC -WIFI warning /…/, empty for all): {text}▏"
            case FilterTyped(text, entered=True):
                self._filter(text, view)
            case Pressed(action):
                self._act(action, view)
            case Typed():
                view.remark("not typed: the board is gone")
            case Unmeant():
                view.remark("nothing is typed to the board without --interactive; Ctrl-T h lists the keys")
            case MenuLeft():
                pass

    def _filter(self, text: str, view: MonitorView) -> None:
        try:
            view.shown = parse_filter(text, control_lines=view.shown.control_lines)
        except re.error as error:
            view.remark(f"not a regular expression: {error}")

    def _act(self, action: Action, view: MonitorView) -> None:
        from dispctl.cli.log_view import TIME_FORMAT

        match action:
            case Action.HELP:
                view.explain(HELP)
            case Action.RESET:
                reset_boards(self._ports, self._boards, view)
            case Action.PAUSE:
                view.pause_or_go_on()
            case Action.LOG:
                self._record_or_stop(view)
            case Action.TIMESTAMPS:
                view.switch_times(TIME_FORMAT)
            case Action.LEVEL:
                view.shown = next_level(view.shown, LEVELS)
            case Action.FILTER | Action.QUIT:
                pass  # a question, and an end: seen to where they are heard

    def _record_or_stop(self, view: MonitorView) -> None:
        try:
            if view.recording is None:
                name = datetime.now().astimezone().strftime("dispctl-%Y%m%d-%H%M%S.log")
                view.recording = self._recording.begin(Path(name))
                view.remark(f"every byte from here on goes to {view.recording}")
            else:
                view.remark(f"{view.recording} is complete")
                view.recording = None
                self._recording.end()
        except UsageError as error:
            view.remark(error.message)


def reset_boards(ports: PortReaders, boards: Sequence[str], view: MonitorView) -> None:
    """Reset every board that is there."""
    for board in boards:
        try:
            ports.reset(board)
        except BoardNotFoundError as error:
            view.remark(f"no reset: {error.message}")
