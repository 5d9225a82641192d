"""Entry point of ``dispctl`` and ``python -m dispctl``."""

import os
import signal
import sys
from types import FrameType

COMPLETION_VARIABLE = "_DISPCTL_COMPLETE"
INTERRUPTED = 130
"""`dispctl.errors.ExitCode.INTERRUPTED`, known before anything is imported."""


def main() -> None:
    """Run the command line; exit codes are ``dispctl.errors.ExitCode``."""
    hears_ctrl_c = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if hears_ctrl_c:
        signal.signal(signal.SIGINT, leave_at_once)
    try:
        from dispctl.cli.app import run

        if COMPLETION_VARIABLE in os.environ:
            # Typer would import Rich only to strip markup from descriptions, of which ours have none.
            sys.modules["rich"] = None  # type: ignore[assignment]
        if hears_ctrl_c:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        if hears_ctrl_c:
            signal.signal(signal.SIGINT, leave_at_once)


def leave_at_once(_number: int, _frame: FrameType | None) -> None:
    """What Ctrl-C does before the command line runs and after it: there is nothing to tidy up, only modules to load.

    An exception would be told with a traceback, or be lost where Python ignores exceptions.
    """
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
