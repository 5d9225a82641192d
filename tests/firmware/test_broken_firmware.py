"""The sweeps can fail: each deliberately broken firmware is caught by one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dispctl.firmware import jars, job_execution, job_persistence, pour
from dispctl.firmware.job_state import RUNNING, JobState
from tests.on_micropython.board import test_control, test_cuts, test_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from dispctl.firmware.parts import Storage


def no_save(storage: Storage, state: JobState, index: int) -> None:
    """Forgets instead of saving."""


save_item = job_persistence.save_item


def only_results(storage: Storage, state: JobState, index: int) -> None:
    """Saves no progress within an item."""
    if state.codes[index] != RUNNING:
        save_item(storage, state, index)


def remembers_no_id(storage: Storage, retained: object, state: JobState) -> None:
    """Clears without remembering the finished job."""
    storage.remove("job_state")


def break_checkpoints(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    monkeypatch.setattr(pour, "save_item", only_results)
    return test_cuts.test_cut_at_every_50_ms


def break_results(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The log is kept in RAM."""
    monkeypatch.setattr(job_persistence, "save_item", no_save)
    monkeypatch.setattr(pour, "save_item", no_save)
    return test_cuts.test_cut_at_every_50_ms


def break_retained(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    monkeypatch.setattr(pour, "encode_retained", lambda *_: b"")
    return test_cuts.test_reset_at_every_50_ms


def break_saving_first(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The job is poured before it is saved: a cut lets the backend's copy be poured again."""
    monkeypatch.setattr(job_persistence, "save_job", lambda *_: None)
    return test_cuts.test_cut_at_every_50_ms


def break_remembering(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    monkeypatch.setattr(job_persistence, "clear_job", remembers_no_id)
    return test_flow.test_a_finished_job_is_reported_again_and_not_poured_again


def break_closing_again(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A closing that failed is not tried again."""
    monkeypatch.setattr(jars.Jars, "drive", lambda _: None)
    return test_control.test_a_jar_that_does_not_close_is_closed_when_the_bus_is_back_and_no_other_is_opened_before


def break_giving_up(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What is interrupted whenever it opens is begun once more than is right."""
    monkeypatch.setattr(job_execution, "ATTEMPTS_LIMIT", job_execution.ATTEMPTS_LIMIT + 1)
    return test_cuts.test_what_is_interrupted_each_time_it_opens_is_given_up


def break_counting_beginnings(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What gets on is given up all the same."""
    monkeypatch.setattr(pour, "RETAIN_EVERY_MS", 10_000)
    return test_cuts.test_what_gets_on_is_not_given_up


def break_hangs(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The time until the watchdog's reset is not counted."""
    monkeypatch.setattr(job_execution, "POURING_MS", 0)
    return test_cuts.test_the_time_of_a_hang_is_counted_once


def break_keeping_hangs(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """It is forgotten by the next reset."""
    monkeypatch.setattr(job_persistence, "_save_hang", lambda *_: None)
    return test_cuts.test_the_time_of_a_hang_is_counted_once


@pytest.mark.parametrize(
    "break_it",
    [
        break_checkpoints,
        break_results,
        break_retained,
        break_saving_first,
        break_remembering,
        break_closing_again,
        break_giving_up,
        break_counting_beginnings,
        break_hangs,
        break_keeping_hangs,
    ],
)
def test_a_broken_firmware_is_caught(
    break_it: Callable[[pytest.MonkeyPatch], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = break_it(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        sweep()
