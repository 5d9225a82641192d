"""``dispctl monitor`` as it is typed: golden sessions from a recording, exit codes, and a board on a pseudo-terminal.

The files in ``tests/golden/monitor`` are what the command shows of ``session.log``; after a wanted change write them
anew with ``DISPCTL_WRITE_GOLDEN=1 pytest tests/cli/test_monitor.py`` and read the difference.
"""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import pytest
from rich.console import Console as RichConsole
from typer.testing import CliRunner, Result

from dispctl.adapters.port_reader import Received
from dispctl.cli.app import app
from dispctl.cli.log_view import LogView, tag_style
from dispctl.operations.monitor import LineSeen, monitor
from tests.fake_board import FakeBoard
from tests.terminal import terminal

GOLDEN = Path(__file__).parent.parent / "golden" / "monitor"
SESSION = GOLDEN / "session.log"
PATIENCE_S = 10
KEYS = {"time", "board", "port", "tag", "level", "message", "event", "fields", "text"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["monitor", *arguments])


def compare(shown: str, name: str) -> None:
    """Compare with a golden file, or write it when the environment says so."""
    golden = GOLDEN / name
    if os.environ.get("DISPCTL_WRITE_GOLDEN"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


def test_a_recording_is_shown_as_text() -> None:
    compare(run("--replay", str(SESSION)).stdout, "session.txt")


def test_a_recording_is_shown_in_colour() -> None:
    out = io.StringIO()
    view = LogView(
        RichConsole(file=out, force_terminal=True, color_system="standard", markup=False, highlight=False)
    )
    for event in monitor([Received(None, SESSION.read_bytes())]):
        assert isinstance(event, LineSeen)
        view.show(event)
    view.close()
    compare(out.getvalue(), "session.ansi")


def test_a_recording_is_shown_as_json() -> None:
    shown = run("--replay", str(SESSION), "--json", "--verbose").stdout
    compare(shown, "session.ndjson")
    for line in shown.splitlines():
        assert set(json.loads(line)) == KEYS


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--tag", "exec"], 6),
        (["--tag", "[EXEC]", "--tag", "RESUME"], 8),
        (["--tag", "EXEC", "--grep", r"Item \d"], 4),
        (["--level", "error"], 5),
        (["--tag", "REPORT", "--exclude", "REPORT"], 0),
        (["--grep", "CTL"], 0),
        (["--grep", "CTL", "--verbose"], 1),
        (["--tag", "CTL"], 1),
    ],
)
def test_filters_choose_what_is_shown(options: list[str], count: int) -> None:
    shown = run("--replay", str(SESSION), *options)
    assert shown.exit_code == 0
    assert len(shown.stdout.splitlines()) == count, shown.stdout


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--until", "Retomando"], 0, ""),
        (["--until", "never"], 9, "before a line matching 'never' came"),
        (["--fail-on", "Traceback"], 8, "Traceback"),
        (["--until-job-done"], 8, "Job 7 ended partially: failed items 4"),
        (["--until", "("], 2, "--until is not a regular expression"),
        (["--level", "loud"], 2, "loud"),
    ],
)
def test_the_exit_code_says_how_it_ended(options: list[str], code: int, words: str) -> None:
    ended = run("--replay", str(SESSION), *options)
    assert ended.exit_code == code
    assert words in " ".join(ended.stderr.split())


def test_a_failure_is_an_object_with_json() -> None:
    ended = run("--replay", str(SESSION), "--json", "--until-job-done")
    failure = json.loads(ended.stdout.splitlines()[-1])
    assert failure["error"]["code"] == 8


def test_hidden_lines_are_looked_at_all_the_same() -> None:
    assert run("--replay", str(SESSION), "--tag", "POLL", "--fail-on", "EIO").exit_code == 8


def test_a_recording_that_is_not_there_and_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    assert run("--replay", str(tmp_path / "none")).exit_code == 2
    assert run("--replay", str(SESSION), "--log", str(tmp_path / "none" / "log")).exit_code == 2


def test_a_log_has_every_byte_and_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for _ in range(2):
        run("--replay", str(SESSION), "--log", str(log), "--tag", "POLL")
    assert log.read_bytes() == SESSION.read_bytes() * 2


def test_a_port_that_is_not_there_has_its_own_code(tmp_path: Path) -> None:
    assert run("--port", str(tmp_path / "none")).exit_code == 3


def test_tags_of_the_firmware_differ_and_an_unknown_one_is_the_same_in_every_run() -> None:
    assert len({tag_style(tag) for tag in ("SETUP", "POLL", "EXEC", "RESUME", "REPORT")}) == 5
    code = "from dispctl.cli.log_view import tag_style; print(tag_style('MOTOR'))"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.strip() == tag_style("MOTOR")


def test_a_live_board_is_watched_without_a_terminal_until_a_line_comes() -> None:
    board = FakeBoard()
    command = [sys.executable, "-m", "dispctl", "monitor", "-p", board.port, "--json", "--until", "sucesso"]
    watching = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    try:
        assert json.loads(first_line(watching.stdout))["event"] == "port_opened"
        board.print("[REPORT] ✓ Relatório enviado com sucesso!")
        line = json.loads(first_line(watching.stdout))
        assert (line["tag"], line["event"], line["port"]) == ("REPORT", "report_accepted", board.port)
        assert line["time"]
        assert watching.wait(PATIENCE_S) == 0
    finally:
        watching.kill()
        watching.communicate()
        board.stop()


def first_line(stream: IO[str]) -> str:
    """The next line of `stream`; fails when it does not come in time."""
    lines: list[str] = []
    reading = threading.Thread(target=lambda: lines.append(stream.readline()), daemon=True)
    began_s = time.monotonic()
    reading.start()
    reading.join(PATIENCE_S)
    assert lines, f"no line in {time.monotonic() - began_s:.0f} s"
    return lines[0]


def test_ctrl_bracket_leaves_and_the_terminal_is_as_it_was() -> None:
    board = FakeBoard()
    with terminal("monitor", "-p", board.port) as screen:
        screen.wait_for("Ctrl-]")
        board.print("[EXEC] ✓ Item 1 concluído (real: 5.02s). Progresso salvo.")
        screen.wait_for("Progresso salvo.")
        assert "\x1b[1;36m[EXEC]" in screen.screen
        screen.type("\x1d")
        assert screen.exit_code() == 0
        assert screen.settings == screen.settings_before
    board.stop()


def test_what_was_typed_ahead_is_left_for_what_runs_next() -> None:
    board = FakeBoard()
    with terminal("monitor", "-p", board.port, "--until", "ready", typed_ahead="make test\n") as screen:
        screen.wait_for("Ctrl-C quits")
        screen.type("\x1dls\n")
        board.print("ready")
        assert screen.exit_code() == 0
        assert "Ctrl-C leaves" in screen.screen
        assert "Ctrl-]" not in screen.screen
        assert screen.settings == screen.settings_before
        assert screen.left_over() == "make test\n\x1dls\n"
    board.stop()


@pytest.mark.parametrize("keys", ["\x1d", "\x14x", "\x14?\x14fEXEC\r\x1d"])
@pytest.mark.parametrize("options", [[], ["--interactive"], ["--json"]])
def test_what_is_typed_after_the_key_that_leaves_is_left_as_well(options: list[str], keys: str) -> None:
    board = FakeBoard()
    with terminal("monitor", "-p", board.port, *options) as screen:
        screen.wait_for("port_opened" if "--json" in options else "Ctrl-T h helps")
        screen.type(keys + "make test\n")
        assert screen.exit_code() == 0
        assert screen.left_over() == "make test\n"
    board.stop()


def test_a_key_that_means_nothing_is_answered_once() -> None:
    board = FakeBoard()
    with terminal("monitor", "-p", board.port) as screen:
        screen.wait_for("Ctrl-T h helps")
        screen.type("make\n\x14x")
        assert screen.exit_code() == 0
        assert screen.screen.count("nothing is typed to the board without --interactive") == 1
    board.stop()


def test_a_pipe_on_standard_input_is_not_read_unless_asked_for() -> None:
    board = FakeBoard()
    reading, writing = os.pipe()
    os.write(writing, b"left\n")
    command = [sys.executable, "-m", "dispctl", "monitor", "-p", board.port, "--until", "ready"]
    with subprocess.Popen(command, stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        assert watching.stderr is not None
        assert b"Watching" in watching.stderr.readline()
        board.print("ready")
        assert watching.wait(PATIENCE_S) == 0
    assert os.read(reading, 100) == b"left\n"
    os.close(reading)
    os.close(writing)
    board.stop()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_and_the_terminal_is_as_it_was(number: int, code: int) -> None:
    board = FakeBoard()
    with terminal("monitor", "-p", board.port) as screen:
        screen.wait_for("Ctrl-]")
        screen.process.send_signal(number)
        assert screen.exit_code() == code
        assert screen.settings == screen.settings_before
        assert "Traceback" not in screen.screen
    board.stop()


def test_keys_filter_pause_and_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    board = FakeBoard()
    with terminal("monitor", "-p", board.port) as screen:
        screen.wait_for("Ctrl-T h helps")
        screen.type("\x14")
        screen.wait_for("f filter · x quit")
        screen.type("h")
        screen.wait_for("recording of every byte")
        screen.type("\x14l")
        screen.wait_for("every byte from here on goes to")
        screen.type("\x14fEXEC\r")
        screen.wait_for("only EXEC")
        board.print("[POLL] hidden")
        board.print("[EXEC] Item 2/3: Frasco 2 por 9.000s")
        screen.wait_for("a job, item 2/3, jar 2: ")
        assert "hidden" not in screen.screen
        screen.type("\x14y")
        screen.wait_for("PAUSED, 0 waiting")
        board.print("[EXEC] kept back")
        screen.wait_for("PAUSED, 1 waiting")
        assert "kept back" not in screen.screen
        screen.type("\x14y")
        screen.wait_for("kept back")
        screen.type("\x14l")
        screen.wait_for("is complete")
        screen.type("\x14x")
        assert screen.exit_code() == 0
    board.stop()
    (log,) = tmp_path.glob("dispctl-*.log")
    assert log.read_bytes().startswith(b"[POLL] hidden\r\n[EXEC] Item 2/3")


def test_what_is_typed_goes_to_the_board_only_when_asked_for() -> None:
    board = FakeBoard()
    board.start()
    with terminal("monitor", "-p", board.port, "--interactive") as screen:
        screen.wait_for("Ctrl-T h helps")
        screen.type("1+1\x03\n")
        board.write(b">>> 1+1\x08\x08\x1b[K")
        screen.wait_for(">>> 1+1\x08\x08\x1b[K")
        screen.type("\x1d")
        assert screen.exit_code() == 0
        assert screen.settings == screen.settings_before
    board.stop()
    assert board.requests == [b"1+1\x03"]


def test_a_traceback_is_folded_at_a_terminal_and_whole_in_a_pipe() -> None:
    assert run("--replay", str(SESSION)).stdout.count("  File ") == 1
    board = FakeBoard()
    lines = [
        "Traceback (most recent call last):",
        *(f'  File "firmware/{name}.py", line 1' for name in "abc"),
    ]
    with terminal("monitor", "-p", board.port) as screen:
        screen.wait_for("Ctrl-T h helps")
        for line in [*lines, "OSError: 5"]:
            board.print(line)
        screen.wait_for("OSError: 5")
        assert "2 outer frames folded" in screen.screen
        assert "firmware/b.py" not in screen.screen
        screen.type("\x1d")
        screen.exit_code()
    board.stop()


def test_several_boards_have_a_prefix_each() -> None:
    boards = [FakeBoard(), FakeBoard()]
    ports = [word for board in boards for word in ("-p", board.port)]
    watching = subprocess.Popen(
        [sys.executable, "-m", "dispctl", "monitor", *ports, "--until", "I am", "--timeout", "10"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert watching.stdout is not None
    assert all("Watching" in first_line(watching.stdout) for _ in boards)
    for number, board in enumerate(boards):
        board.print(f"[EXEC] I am {number}")
    shown, _ = watching.communicate(timeout=PATIENCE_S)
    labels = [board.port.rpartition("/")[2] for board in boards]
    width = max(map(len, labels))
    assert sorted(shown.splitlines()) == sorted(
        f"{label.ljust(width)} │ [EXEC] I am {number}" for number, label in enumerate(labels)
    )
    assert watching.returncode == 0
    for board in boards:
        board.stop()


def test_a_replay_keeps_time_where_the_recording_has_it(tmp_path: Path) -> None:
    recording = tmp_path / "log.ndjson"
    recording.write_text(run("--replay", str(SESSION), "--json").stdout)
    assert run("--replay", str(recording), "--speed", "1").stdout == run("--replay", str(SESSION)).stdout
    assert run("--replay", str(SESSION), "--speed", "1").exit_code == 2


def test_what_was_shown_is_saved_as_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "monitor.svg"
    assert run("--replay", str(SESSION), "--picture", str(picture)).exit_code == 0
    assert "<svg" in picture.read_text(encoding="utf-8")
    assert run("--replay", str(SESSION), "--picture", str(tmp_path / "none" / "x.svg")).exit_code == 2


@pytest.mark.parametrize(
    "options",
    [
        ["--replay", str(SESSION), "--reset"],
        ["--speed", "2"],
        ["--interactive", "-p", "a", "-p", "b"],
        ["-p", "a", "-p", "a"],
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(options: list[str]) -> None:
    assert run(*options).exit_code == 2
