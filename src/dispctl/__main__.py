"""Entry point of ``dispctl`` and ``python -m dispctl``."""

import os
import sys

from dispctl.cli.app import app

COMPLETION_VARIABLE = "_DISPCTL_COMPLETE"


def main() -> None:
    """Run the command line; exit codes are ``dispctl.errors.ExitCode``."""
    if COMPLETION_VARIABLE in os.environ:
        # Typer would import Rich only to strip markup from descriptions, of which ours have none.
        sys.modules["rich"] = None  # type: ignore[assignment]
    app(prog_name="dispctl")


if __name__ == "__main__":
    main()
