"""The product's own programs as processes, started and watched as a person would in several terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

DEADLINE_S = 60.0


class Dispctl:
    """Runs `dispctl` with an environment of its own, so that no test meets the user's files or another test's board."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120", **environment}

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; the caller looks at the exit code."""
        return subprocess.run(
            self._command(arguments),
            env=self.environment,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def done(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command that has to succeed; returns its standard output."""
        ended = self.run(*arguments, stdin=stdin)
        assert ended.returncode == 0, (
            f"dispctl {' '.join(arguments)}: exit {ended.returncode}\n{ended.stderr}"
        )
        return ended.stdout

    def json(self, *arguments: str) -> Any:
        """Run a command that has to succeed with ``--json``; returns its object."""
        return json.loads(self.done(*arguments, "--json"))

    def start(self, *arguments: str) -> Running:
        """Start a command that goes on until it is stopped."""
        return Running(self._command(arguments), self.environment)

    @staticmethod
    def _command(arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "dispctl", *arguments]


class Running:
    """A process whose lines are collected as they come; a context manager that ends it."""

    def __init__(
        self, command: list[str], environment: Mapping[str, str], *, folder: Path | None = None
    ) -> None:
        self.lines: list[str] = []
        self._errors: list[str] = []
        self._grown = threading.Condition()
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._threads = [
            threading.Thread(target=self._collect, args=(self._process.stdout, self.lines), daemon=True),
            threading.Thread(target=self._collect, args=(self._process.stderr, self._errors), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _collect(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            with self._grown:
                lines.append(line.rstrip("\n"))
                self._grown.notify_all()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def wait_for(self, text: str, *, after: int = 0, deadline_s: float = DEADLINE_S) -> int:
        """Wait for a line of output that contains `text` at or after index `after`; returns its index."""
        return self._wait(self.lines, text, after, deadline_s)

    def wait_for_message(self, text: str, *, deadline_s: float = DEADLINE_S) -> int:
        """Wait for a line on standard error that contains `text`; returns its index."""
        return self._wait(self._errors, text, 0, deadline_s)

    def _wait(self, lines: list[str], text: str, after: int, deadline_s: float) -> int:
        end = time.monotonic() + deadline_s
        with self._grown:
            while True:
                for index in range(after, len(lines)):
                    if text in lines[index]:
                        return index
                left = end - time.monotonic()
                if left <= 0 or not any(thread.is_alive() for thread in self._threads):
                    seen = "\n".join([*self.lines[-60:], "-- standard error:", *self._errors[-20:]])
                    raise AssertionError(f"{text!r} did not come within {deadline_s} s; seen:\n{seen}")
                self._grown.wait(min(left, 0.2))

    def stop(self) -> int:
        """End the process as Ctrl-C in its terminal or `kill` would; returns its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        code = self._process.wait(timeout=15)
        for thread in self._threads:
            thread.join(timeout=5)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
