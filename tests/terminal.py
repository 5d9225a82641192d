"""A command at a terminal: a pseudo-terminal is its keyboard and its screen, as for a person who types."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PATIENCE_S = 15
_END = "<end of what was shown>"


class Terminal:
    """`screen` is everything shown so far; `type` is what the person does, at the end `person` of the line.

    Standard output goes to the file `results` instead, if there is one.
    """

    def __init__(
        self,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        folder: Path | None = None,
        typed_ahead: str = "",
        results: str = "",
    ) -> None:
        self.person, self._program = pty.openpty()
        self.settings_before = termios.tcgetattr(self._program)
        self.screen = ""
        self.type(typed_ahead)
        outlet = os.open(results, os.O_WRONLY | os.O_CREAT, 0o600) if results else os.dup(self._program)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dispctl", *arguments],
            stdin=self._program,
            stdout=outlet,
            stderr=self._program,
            cwd=folder,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100", **environment},
            start_new_session=True,
        )
        os.close(outlet)

    @property
    def settings(self) -> list[object]:
        """The terminal's settings as they are now."""
        return termios.tcgetattr(self._program)

    def wait_for(self, text: str) -> None:
        """Wait until `text` is on the screen; fails, showing the screen, when it does not come."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.screen:
            ready, _, _ = select.select([self.person], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"'{text}' did not come in {PATIENCE_S} s; the screen:\n{self.screen}"
            self.screen += os.read(self.person, 4096).decode("utf-8", "replace")

    def type(self, keys: str) -> None:
        """Press `keys`, one after the other."""
        os.write(self.person, keys.encode())

    def left_over(self) -> str:
        """Lines that were typed and that the program has left for whatever runs in the terminal next."""
        self.type(_END + "\n")
        left = ""
        while not left.endswith(_END + "\n"):
            ready, _, _ = select.select([self._program], [], [], PATIENCE_S)
            assert ready, f"the terminal holds back what was typed; until then: {left!r}"
            left += os.read(self._program, 4096).decode()
        return left.removesuffix(_END + "\n")

    def type_hidden(self, keys: str) -> None:
        """Press `keys` once the program hides them: what comes before that, it may throw away or leave alone."""
        deadline = time.monotonic() + PATIENCE_S
        while termios.tcgetattr(self._program)[3] & termios.ECHO:
            assert time.monotonic() < deadline, f"nothing was hidden; the screen:\n{self.screen}"
            select.select([], [], [], 0.01)
        self.type(keys)

    def exit_code(self) -> int:
        """Wait for the command's end, and for all that it has shown: the kernel passes that on a little later."""
        code = self.process.wait(PATIENCE_S)
        os.write(self._program, _END.encode())
        self.wait_for(_END)
        self.screen = self.screen.replace(_END, "")
        return code

    def close(self) -> None:
        """End the command if it still runs."""
        self.process.kill()
        self.process.wait()
        os.close(self.person)
        os.close(self._program)


@contextlib.contextmanager
def terminal(
    *arguments: str, typed_ahead: str = "", results: str = "", **environment: str
) -> Iterator[Terminal]:
    """`dispctl` with `arguments`, at a terminal in which something may have been typed before."""
    shown = Terminal(arguments, environment, typed_ahead=typed_ahead, results=results)
    try:
        yield shown
    finally:
        shown.close()
