"""``dispctl backend serve`` as a process, for tests that need a real one."""

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

DEADLINE_S = 30


class Served:
    """A ``backend serve`` that runs, warnings being errors; its lines are read as they come.

    `within` is a command that runs the one that follows it.
    """

    def __init__(self, *options: str, within: tuple[str, ...] = ()) -> None:
        command = [*within, sys.executable, "-W", "error", "-m", "dispctl", "backend", "serve", *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """End it if it still runs, and its pipes."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def line(self) -> str:
        """The next line on standard output."""
        try:
            return self._lines.get(timeout=DEADLINE_S)
        except queue.Empty:
            raise AssertionError(f"no line in {DEADLINE_S} s; exit code {self.process.poll()}") from None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """End it by a signal; returns the exit code and what it wrote on standard error."""
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE_S)
        assert self.process.stderr is not None
        return code, self.process.stderr.read()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))


@contextmanager
def serving(*options: str) -> Iterator[Served]:
    """A ``backend serve`` for the length of a block."""
    with closing(Served(*options)) as served:
        yield served
