"""This program's own servers (`sim run`, `backend serve`) and short commands, each as a process of its own.

The demo lives on one machine but meets the virtual board and the backend only over the cable and HTTP, as it would
meet real ones; this module knows how a process is started, asked and ended, and nothing of what it does.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Any

from dispctl.errors import DeadlineError, DispctlError, ExitCode

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 30.0


class Companion:
    """A running server of this program; `ready` is the JSON object that it printed when it could be used.

    Raises `DeadlineError` when it does not get ready in time, and the server's own failure when it ends before that.
    """

    def __init__(self, *arguments: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process, closed in stop()
        self._process = subprocess.Popen(
            _command(arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors
        )
        try:
            self.ready = self._first_object(arguments)
        except BaseException:
            self.stop()
            raise

    def _first_object(self, arguments: tuple[str, ...]) -> dict[str, Any]:
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=_drain, args=(self._process.stdout, lines), daemon=True).start()
        try:
            line = lines.get(timeout=READY_TIMEOUT_S)
        except queue.Empty:
            raise DeadlineError(
                f"dispctl {' '.join(arguments)} was not ready in {READY_TIMEOUT_S:.0f} s."
            ) from None
        return _answer(arguments, line, self._last_words)

    def _last_words(self) -> str:
        self._process.wait(timeout=STOP_TIMEOUT_S)
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")

    def stop(self) -> None:
        """End the process politely, then by force; doing it twice is harmless."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def ask(*arguments: str) -> dict[str, Any]:
    """Run a short command of this program with ``--json``; returns its object, raises its failure."""
    arguments = (*arguments, "--json")
    ended = subprocess.run(
        _command(arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )
    return _answer(arguments, ended.stdout, lambda: ended.stderr.decode(errors="replace"))


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "dispctl", *arguments]


def _drain(stream: IO[bytes] | None, lines: queue.Queue[bytes]) -> None:
    # Read to the end, so that the server never blocks on a full pipe; the first line says that it is ready.
    for line in stream or ():
        lines.put(line)
    lines.put(b"")
    if stream:
        stream.close()


def _answer(arguments: tuple[str, ...], text: bytes, last_words: Any) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(text)
    except ValueError:
        said = last_words().strip() or "nothing"
        raise DispctlError(
            f"dispctl {' '.join(arguments)} ended before it was ready; it said: {said}"
        ) from None
    if "error" in answer:
        failure = DispctlError(answer["error"]["message"], hint=answer["error"]["hint"])
        failure.exit_code = ExitCode(answer["error"]["code"])
        raise failure
    return answer
