"""Every expected failure, each with its exit code; knows nothing of how a failure is shown.

DispctlError
├── UsageError                2   what was asked for cannot be meant
├── BoardNotFoundError        3   no such port, or no board on it
├── PortBusyError             3   another process holds the port
├── BoardRefusedError         4   a job is under way, wrong chip, wrong board
├── BoardSilentError          5   nothing, or nothing readable, came back
├── DamagedError              6   verification failed, or an image or a job state is damaged
├── BackendRefusedError       7   the backend said no
├── BackendUnreachableError   7   the backend did not answer
├── JobEndedBadlyError        8   the job ended partial or failed
└── DeadlineError             9   what was waited for did not come in time
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns; the table of ``docs/cli.md``."""

    DONE = 0
    BUG = 1
    USAGE = 2
    NO_BOARD = 3
    REFUSED = 4
    SILENT = 5
    DAMAGED = 6
    BACKEND = 7
    JOB = 8
    DEADLINE = 9
    INTERRUPTED = 130
    NOBODY_READS = 141


class DispctlError(Exception):
    """An expected failure: one sentence of fact (`message`) and one of what to do next (`hint`)."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DispctlError):
    """What was asked for cannot be meant; nothing was touched."""

    exit_code = ExitCode.USAGE


class BoardNotFoundError(DispctlError):
    """There is no such port, or no board on it."""

    exit_code = ExitCode.NO_BOARD


class PortBusyError(DispctlError):
    """Another process holds the port; the message names it where the system tells."""

    exit_code = ExitCode.NO_BOARD


class BoardRefusedError(DispctlError):
    """The board answered, and said no: a job is under way, the wrong chip, the wrong board."""

    exit_code = ExitCode.REFUSED


class BoardSilentError(DispctlError):
    """The board answered nothing, or nothing readable, in time."""

    exit_code = ExitCode.SILENT


class DamagedError(DispctlError):
    """Verification failed, or an image, a backup or a job state is damaged."""

    exit_code = ExitCode.DAMAGED


class BackendRefusedError(DispctlError):
    """The backend answered with a refusal; `status` is the HTTP status."""

    exit_code = ExitCode.BACKEND

    def __init__(self, message: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class BackendUnreachableError(DispctlError):
    """No answer from the backend: refused, timed out, or not speaking HTTP."""

    exit_code = ExitCode.BACKEND


class JobEndedBadlyError(DispctlError):
    """The job came to its end, partial or failed."""

    exit_code = ExitCode.JOB


class DeadlineError(DispctlError):
    """What was waited for did not come in time."""

    exit_code = ExitCode.DEADLINE
