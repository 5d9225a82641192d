"""Puts a saved job from a backup back onto a board; knows the files and what they mean, not the way to the board."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispctl.adapters import backups as backup_files
from dispctl.errors import BoardRefusedError, DamagedError, UsageError
from dispctl.firmware import job_state

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from dispctl.adapters.backups import Backups
    from dispctl.operations.job_state_sources import SavedFiles, Source

_BOARDS_OWN = frozenset({job_state.FINISHED_FILE, job_state.REJECTED_FILE, job_state.LOCAL_FILE})
"""What a board has of these is newer than a backup: how the jobs ended that it has done since."""


@dataclass(frozen=True)
class AboutToRestore:
    """The job of a backup is about to be put onto the board; what it has of one (`replaced_id`) is saved in `backup`.

    Whoever runs the operation stops here to prevent it.
    """

    job_id: int
    replaced_id: int | None
    backup: Path | None


@dataclass(frozen=True)
class Restored:
    """The board has the job again, and read it back."""

    job_id: int


Event = AboutToRestore | Restored


def load_saved_job(path: Path) -> dict[str, bytes]:
    """The files of the saved job in a backup, by name in `/`.

    Raises DamagedError when the backup or the job in it cannot be read, UsageError when there is none.
    """
    if not path.exists():
        raise UsageError(
            f"There is no {path}.", hint=f"Backups are in {backup_files.default_backups().folder}."
        )
    files = {
        name: data
        for name, data in ((path[1:], data) for path, data in backup_files.load(path).items())
        if name.startswith(job_state.JOB_FILE) and not {"/", "\\"} & set(name)
    }
    if job_state.JOB_FILE not in files:
        raise UsageError(f"{path} holds no saved job.", hint="See the backups beside it.")
    state, findings = job_state.decode(files)
    if state is None or state["job_id"] is None:
        why = findings[0]["finding"] if findings else "is not there"
        raise DamagedError(f"The job in {path} cannot be used: it {why}.", hint="See the backups beside it.")
    return files


def refuse_backup_of_another(path: Path, mac: str | None) -> None:
    """Raises BoardRefusedError when the backup was taken from another board than the one with this MAC."""
    owner = backup_files.board_of(path)
    if owner and mac and owner != mac:
        raise BoardRefusedError(
            f"{path.name} was taken from the board {owner}; this one is {mac}.",
            hint="The backend takes the report of that job from that board alone: choose a backup of this one.",
        )


def restore(
    files: Mapping[str, bytes], source: Source, saved: SavedFiles, backups: Backups
) -> Generator[Event, None, None]:
    """Replace the job that `saved` tells the board to have by that of `files`, as `load_saved_job` gives them.

    Raises BoardRefusedError when the board has poured that job since, DamagedError when it does not read back.
    """
    job_id = _job_id(files)
    if job_id in job_state.decode_finished(saved.files):
        raise BoardRefusedError(
            f"The board has finished job {job_id} since; put back, it would be poured again.",
            hint=f"To pour what failed of it: dispctl job retry-failed {job_id}.",
        )
    old = {name: data for name, data in saved.files.items() if name not in _BOARDS_OWN}
    new = {name: data for name, data in files.items() if name not in saved.files or name not in _BOARDS_OWN}
    backup = (
        backups.save(saved.mac or "board", {f"/{name}": data for name, data in saved.files.items()})
        if old
        else None
    )
    yield AboutToRestore(job_id, _job_id(saved.files) if old else None, backup)
    source.replace(list(old), _job_last(new))
    now = source.read().files
    if any(now.get(name) != data for name, data in new.items()) or set(old) - set(new) & set(now):
        raise DamagedError("The job does not read back as it was saved.", hint="Repeat the command.")
    yield Restored(job_id)


def _job_last(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Progress before the job that it belongs to: cut in between, the board has no job, and never one without progress."""
    return dict(sorted(files.items(), key=lambda item: item[0] == job_state.JOB_FILE))


def _job_id(files: Mapping[str, bytes]) -> int:
    state, _ = job_state.decode(dict(files))
    return int(state["job_id"] or 0) if state else 0
