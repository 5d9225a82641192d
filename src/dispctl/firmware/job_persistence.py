"""The saved job on flash: what is written when, so that a cut at any moment loses nothing. Knows files, not pouring.

Order of writing: the job whole, before the first jar opens; an item's result after it was poured; when the report was
accepted, first the id as finished, then the job's removal. See `job_state` for the files.
"""

from . import job_state as codec
from .job import Job
from .job_state import JobState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Retained, Storage


def has_job_in_flash(storage: "Storage") -> bool:
    """Whether a job is saved, readable or not."""
    return bool(_read(storage, codec.JOB_FILE))


def save_job(storage: "Storage", retained: "Retained", state: JobState, payload: bytes) -> None:
    """Make a new job last. Results that outlived a damaged job of the same id are taken over. Raises OSError."""
    retained.write(b"")
    if has_job_in_flash(storage):
        _restore_progress(storage, state)
    else:
        _drop_progress_of(storage, state)
    storage.write(codec.JOB_FILE, codec.encode_job(state.ts_inicio, payload))


def load_job(
    storage: "Storage", retained: "Retained", hung_ms: int = 0
) -> "tuple[JobState | None, str | None]":
    """The saved job with all that is known of its progress, or None; and a finding if the file is damaged.

    `hung_ms` is for how long the board stood still before the watchdog reset it, 0 if it did not.
    """
    data = _read(storage, codec.JOB_FILE)
    if not data:
        return None, None
    state, _, finding = codec.restore_job(data)
    if state is None:
        return None, f"{codec.JOB_FILE} {finding}"
    _restore_progress(storage, state)
    if codec.apply_retained(state, retained.read(), hung_ms) and hung_ms:
        _save_hang(storage, retained, state)
    return state, None


def save_item(storage: "Storage", state: JobState, index: int) -> None:
    """Make the progress of an item last (of its neighbours too: they share a file). Raises OSError."""
    window = index // codec.WINDOW_ITEMS
    storage.write(codec.progress_name(window), codec.encode_progress(state, window))


def is_finished(storage: "Storage", job: Job) -> "JobState | None":
    """How the job ended, if it is among those remembered."""
    return codec.restore_finished(job, _read(storage, codec.FINISHED_FILE))


def clear_job(storage: "Storage", retained: "Retained", state: JobState) -> None:
    """The job has ended and its report was accepted: remember its id, then forget it. Raises OSError."""
    storage.write(codec.FINISHED_FILE, codec.encode_finished(state, _read(storage, codec.FINISHED_FILE)))
    _remove(storage, codec.JOB_FILE)
    retained.write(b"")


def reject_job(storage: "Storage", retained: "Retained", state: JobState, status: int, reason: str) -> None:
    """The report will never be accepted: keep it aside, then end the job. Raises OSError."""
    payload = codec.restore_job(storage.read(codec.JOB_FILE))[1]
    storage.write(codec.REJECTED_FILE, codec.encode_rejected(state, payload, status, reason))
    clear_job(storage, retained, state)


def keep_local_job(storage: "Storage", retained: "Retained", state: JobState) -> None:
    """A job that no backend knows has ended: keep its results for whoever asks, then end it. Raises OSError."""
    payload = codec.restore_job(storage.read(codec.JOB_FILE))[1]
    storage.write(codec.LOCAL_FILE, codec.encode_rejected(state, payload, 0, ""))
    clear_job(storage, retained, state)


def forget_job(storage: "Storage", retained: "Retained") -> None:
    """Drop the saved job and its progress as if it had never come; the finished ids stay. Raises OSError."""
    _remove(storage, codec.JOB_FILE)
    for name in storage.names():
        if name.startswith(codec.PROGRESS_FILE):
            _remove(storage, name)
    retained.write(b"")


def _save_hang(storage: "Storage", retained: "Retained", state: JobState) -> None:
    """A hang is counted once, whatever resets the board next."""
    index = state.next_item()
    retained.write(codec.encode_retained(state, index, is_open=False))
    try:
        save_item(storage, state, index)
    except OSError:
        pass  # RTC memory has it


def _restore_progress(storage: "Storage", state: JobState) -> None:
    for window in range(codec.window_count(state.total)):
        codec.apply_progress(state, _read(storage, codec.progress_name(window)))


def _drop_progress_of(storage: "Storage", state: JobState) -> None:
    """Remove results that an earlier run of a job of this id left: they are not this run's."""
    probe = JobState(state.job)
    for window in range(codec.window_count(state.total)):
        name = codec.progress_name(window)
        if codec.apply_progress(probe, _read(storage, name)) is None:
            _remove(storage, name)


def _read(storage: "Storage", name: str) -> bytes:
    try:
        return storage.read(name)
    except OSError:
        return b""


def _remove(storage: "Storage", name: str) -> None:
    try:
        storage.remove(name)
    except OSError:
        pass  # it was not there
