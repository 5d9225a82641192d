"""Bytes that are no text, on the command line and on standard input, are told as such."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

USAGE = 2


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        ([b"login", b"\xff", b"--password-stdin", b"--backend", b"http://127.0.0.1:9"], b"secret-enough\n"),
        ([b"login", b"ana", b"--password-stdin", b"--backend", b"http://127.0.0.1:9"], b"\xff\xfe\n"),
    ],
)
def test_bytes_that_are_no_text_are_a_usage_error(
    arguments: list[bytes], stdin: bytes, tmp_path: Path
) -> None:
    command = [os.fsencode(sys.executable), b"-m", b"dispctl", *arguments]
    environment = {**os.environ, "DISPCTL_STATE_DIR": str(tmp_path), "PYTHONUTF8": "1"}
    ended = subprocess.run(
        command, input=stdin, capture_output=True, env=environment, timeout=60, check=False
    )
    assert ended.returncode == USAGE, ended.stderr
    assert b"Traceback" not in ended.stderr
