"""Tracebacks, recognised across lines."""

from dispctl.logs.events import LogEvent, read_line
from dispctl.logs.tracebacks import TracebackReader

TRACEBACK = """Traceback (most recent call last):
  File "main.py", line 1, in <module>
  File "firmware/main.py", line 27, in main
OSError: [Errno 5] EIO"""


def read(*texts: str) -> list[LogEvent]:
    reader = TracebackReader()
    return [reader.read(read_line(text)) for text in texts]


def test_the_last_line_names_the_exception_and_where_it_was() -> None:
    last = read(*TRACEBACK.splitlines())[-1]
    assert (last.event, last.level) == ("exception_raised", "error")
    assert last.fields == {"exception": "OSError", "file": "firmware/main.py", "line": 27, "function": "main"}


def test_a_syntax_error_names_no_function() -> None:
    last = read(
        "Traceback (most recent call last):", '  File "<stdin>", line 1', "SyntaxError: invalid syntax"
    )[-1]
    assert last.fields == {"exception": "SyntaxError", "file": "<stdin>", "line": 1, "function": ""}


def test_a_tagged_line_in_its_midst_is_no_exception() -> None:
    lines = read(*TRACEBACK.splitlines()[:2], "[EXEC] Iniciando execução do job 7", "OSError: 5")
    assert [line.event for line in lines[2:]] == ["job_started", None]


def test_one_that_was_cut_off_is_forgotten() -> None:
    reader = TracebackReader()
    for text in TRACEBACK.splitlines()[:2]:
        reader.read(read_line(text))
    reader.forget()
    assert reader.read(read_line("ets Jul 29 2019 12:21:46")).event == "boot_detail"


def test_one_follows_another() -> None:
    events = read(*TRACEBACK.splitlines(), *TRACEBACK.splitlines())
    assert [event.event for event in events].count("exception_raised") == 2
