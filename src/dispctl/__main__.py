"""Entry point of ``dispctl`` and ``python -m dispctl``."""

from dispctl.cli.app import app


def main() -> None:
    """Run the command line; exit codes are ``dispctl.errors.ExitCode``."""
    app(prog_name="dispctl")


if __name__ == "__main__":
    main()
