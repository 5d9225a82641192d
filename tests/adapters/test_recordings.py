"""Recordings of all three kinds, and what is no recording."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispctl.adapters.port_reader import Closed, Opened, Received
from dispctl.adapters.recordings import read_recording
from dispctl.errors import UsageError

TIMED = "23:59:59.500 [POLL] a\n── gap ──\n23:59:59.750 [POLL] b\n00:00:00.250 [POLL] c\n"


def told(time: str, text: str | None, event: str | None = None) -> str:
    """A line as ``monitor --json`` writes it."""
    return (
        json.dumps({"time": time, "port": "p", "level": "info", "message": "m", "event": event, "text": text})
        + "\n"
    )


def test_a_raw_one_comes_whole_and_without_moments(tmp_path: Path) -> None:
    recording = tmp_path / "log"
    recording.write_bytes(b"x" * 200_000)
    items = list(read_recording(recording))
    assert {item.moment for item in items} == {None}
    assert sum(len(item.data) for item in items if isinstance(item, Received)) == 200_000


def test_times_before_lines_are_read_across_midnight(tmp_path: Path) -> None:
    recording = tmp_path / "log"
    recording.write_text(TIMED)
    os.utime(recording, (1_700_000_000, 1_700_000_000))
    items = [item for item in read_recording(recording) if isinstance(item, Received)]
    moments = [item.moment.epoch_s for item in items if item.moment]
    assert [item.data for item in items if b"POLL" in item.data] == [
        b"[POLL] a\n",
        b"[POLL] b\n",
        b"[POLL] c\n",
    ]
    assert moments[-1] - moments[0] == pytest.approx(0.75)


def test_the_monitors_own_words_before_it_do_not_hide_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("Watching /dev/ttyUSB0, without a reset. Ctrl-C leaves.\n" + TIMED)
    items = [item for item in read_recording(tmp_path / "log") if isinstance(item, Received)]
    assert items[0].data == b"[POLL] a\n"
    assert items[0].moment is not None


@pytest.mark.parametrize("speed", [1.0, 5.0])
def test_a_speed_waits_between_lines(tmp_path: Path, speed: float) -> None:
    recording = tmp_path / "log"
    recording.write_text(TIMED)
    waits: list[float] = []
    list(read_recording(recording, speed=speed, sleep=waits.append))
    assert sum(waits) == pytest.approx(0.75 / speed)


def test_json_lines_are_read_with_their_gaps(tmp_path: Path) -> None:
    recording = tmp_path / "log"
    recording.write_text(
        told("2026-01-02T03:04:05.000+00:00", None, "port_opened")
        + told("2026-01-02T03:04:06.000+00:00", "[POLL] ✓ a")
        + told("2026-01-02T03:04:07.000+00:00", None, "port_lost")
        + "not JSON\n[1]\n"
        + told("2026-01-02T03:04:09.500+00:00", None, "port_reopened")
        + told("no time", "late")
    )
    waits: list[float] = []
    items = list(read_recording(recording, speed=1, sleep=waits.append))
    assert [type(item) for item in items] == [Opened, Received, Closed, Opened, Received]
    assert sum(waits) == pytest.approx(4.5)
    assert isinstance(items[1], Received)
    assert items[1].data == "[POLL] ✓ a\n".encode()


def test_a_raw_one_has_no_speed(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"[POLL] a\n")
    with pytest.raises(UsageError, match="carries no times"):
        list(read_recording(tmp_path / "log", speed=2))


def test_one_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_recording(tmp_path / "none"))


@given(st.binary(max_size=200) | st.from_regex(rb"[0-2][0-9]:[0-5][0-9]:[0-9]{2}\.[0-9]{3} .*\n.*"))
def test_anything_is_a_recording(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    recording = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}"
    recording.write_bytes(data)
    assert all(isinstance(item, (Received, Opened, Closed)) for item in read_recording(recording))
