"""Files that an operator names by mistake: too large, without an end, a folder, a pipe."""

from __future__ import annotations

import os
import select
import threading
from pathlib import Path

import pytest

from dispctl.adapters.given_file import TooLargeError, read_given
from dispctl.errors import UsageError

MOST = 1 << 20


def read(path: Path) -> bytes:
    return read_given(path, what="a recipe", most=MOST, hint="Look again.")


@pytest.mark.parametrize("size", [0, 1, MOST])
def test_what_can_be_meant_is_read_whole(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    assert read(tmp_path / "file") == content


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (MOST + 1, "has at most 1 MiB, this 1048577 bytes."),
        (3 << 30, "has at most 1 MiB, this 3 GiB."),
        (1500 << 20, "has at most 1 MiB, this 1.5 GiB."),
    ],
)
def test_a_file_that_is_too_large_is_told_with_its_size(tmp_path: Path, size: int, words: str) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(size)  # sparse: takes no room
    with pytest.raises(TooLargeError) as refusal:
        read(path)
    assert refusal.value.message == f"{path} is too large: a recipe {words}"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_what_has_no_end_is_read_no_further_than_it_can_be_meant() -> None:
    with pytest.raises(TooLargeError, match="has at most 1 MiB, this more"):
        read(Path("/dev/zero"))


def test_what_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read: Is a directory|Permission denied") as refusal:
        read(tmp_path)
    assert refusal.value.hint == "Look again."
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read(tmp_path / "nothing")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_and_one_that_nobody_writes_to_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read(path) == b""
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # so that a writer can come first
    content = os.urandom(200_000)
    writing = threading.Thread(target=path.write_bytes, args=(content,))
    writing.start()
    try:
        os.set_blocking(reading, True)
        select.select([reading], [], [])  # the writer is there
        assert read(Path(f"/dev/fd/{reading}")) == content
    finally:
        os.close(reading)
        writing.join()
