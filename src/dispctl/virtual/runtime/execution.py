"""Running a program on behalf of a REPL or the boot sequence, in the board's one `__main__`."""

from runtime import console, system

import __main__


class SoftReset(BaseException):
    """The program asked for a soft reset: it ended with SystemExit."""


def compiled(source, name, mode):
    """Compile text or bytes; SyntaxError passes through."""
    return compile(source, name, mode)


def run(source, name, mode, on_error=console.print_exception):
    """Compile and run; returns whether no exception was raised, else hands it to `on_error`."""
    try:
        code = compiled(source, name, mode)
        system.execute(exec, code, __main__.__dict__)
    except SystemExit:
        raise SoftReset  # noqa: B904 - MicroPython warns of `from`
    except BaseException as error:
        on_error(error)
        return False
    return True


def run_file(path):
    """Run a file as the boot sequence does; returns whether it ran to its end. A missing file is no error."""
    try:
        with open(path) as file:
            source = file.read()
    except OSError:
        return True
    return run(source, path.lstrip("/"), "exec")
