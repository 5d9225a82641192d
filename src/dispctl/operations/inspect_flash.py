"""Show what a board has saved of a job, clear it or put another one back, saved here first; prints and asks nothing."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispctl.errors import BoardRefusedError, BoardSilentError, DispctlError, UsageError
from dispctl.firmware import job_state
from dispctl.operations import busy, job_state_sources, restore_job
from dispctl.operations.choose_boards import check_mac
from dispctl.operations.job_state_sources import ImageSource, SavedFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dispctl.adapters.backups import Backups
    from dispctl.operations.job_state_sources import Source

WAYS = ("auto", "control", "repl", "rom")
STOPPING_WAYS = frozenset({"repl", "rom"})
AUTO_CONTROL_TIMEOUT_S = 4.0
"""Longer than one re-sent request; a firmware held up by a blocking HTTP call is asked again with ``--via control``."""
CONTROL_TIMEOUT_S = 15.0
NOTHING_SAVED: dict[str, Any] = {
    "version": None,
    "job_id": None,
    "total": 0,
    "done": 0,
    "failed": 0,
    "ts_inicio": None,
    "json": None,
    "log": [],
    "items": [],
    "next": "nothing",
    "next_item": None,
}


@dataclass(frozen=True)
class TriedInVain:
    """A way to the board failed; the next one is tried, or the same more slowly, at `slower` baud."""

    via: str
    reason: str
    slower: int | None = None


@dataclass(frozen=True)
class Inspected:
    """What is saved, by the way `via`.

    `view` has the phase-2 keys (``job_id`` is None when no job is saved), ``items``, ``next``, ``next_item``,
    ``finished`` (ids), ``rejected``, ``findings``, ``filesystem`` and ``files`` (name to size).
    """

    via: str
    saved: SavedFiles
    view: dict[str, Any]

    @property
    def is_damaged(self) -> bool:
        """Whether anything that should have been readable was not."""
        return bool(self.view["findings"])


@dataclass(frozen=True)
class Dumped:
    """The files are in `folder`, as they are on the board."""

    folder: Path
    names: tuple[str, ...]


@dataclass(frozen=True)
class AboutToClear:
    """Saved here, about to be removed from the board; whoever runs the operation stops here to prevent it."""

    job_id: int | None
    backup: Path


@dataclass(frozen=True)
class Cancelled:
    """The job is cancelled in the backend; `was_over`: there it had ended before."""

    job_id: int
    was_over: bool


@dataclass(frozen=True)
class Cleared:
    """Nothing to pour or report is left on the board."""

    job_id: int | None


@dataclass(frozen=True)
class Restarted:
    """The program was stopped to look, and was started again."""

    via: str


Event = TriedInVain | Inspected | Dumped | AboutToClear | Cancelled | Cleared | Restarted | restore_job.Event


@dataclass(frozen=True)
class Request:
    """What to look at and what to do with it; `image` is looked at in place of a board.

    `cancel` cancels a job in the backend and tells whether it did not have to; it goes with `clear`. `restore` is a backup
    whose job the board is to get. `expected_mac` refuses another board; `baud` is for the bootloader.
    """

    port: str
    via: str = "auto"
    image: Path | None = None
    raw: Path | None = None
    clear: bool = False
    cancel: Callable[[int], bool] | None = None
    restore: Path | None = None
    expected_mac: str | None = None
    baud: int | None = None


def inspect_flash(request: Request, backups: Backups) -> Generator[Event, None, None]:
    """Look, by the first way that works; then dump, clear or restore if asked.

    Raises UsageError for what contradicts itself, the errors of the port and of the last way tried, BoardRefusedError
    when the program would have to be stopped while it pours, the firmware refuses to clear or it is another board.
    """
    _check(request)
    restored = restore_job.load_saved_job(request.restore) if request.restore is not None else None
    attempts = _attempts(request)
    attempt: tuple[str, int | None] | None = next(attempts)
    while attempt is not None:
        (via, baud), looked = attempt, False
        try:
            with _open(request, via, baud) as source:
                inspected = Inspected(via, saved := source.read(), view_of(saved))
                looked = True
                check_mac(request.port, saved.mac, request.expected_mac)
                if request.restore is not None:
                    restore_job.refuse_backup_of_another(request.restore, saved.mac)
                yield inspected
                yield from _act(request, backups, source, inspected)
                if restored is not None:
                    yield from restore_job.restore(restored, source, saved, backups)
        except (BoardSilentError, BoardRefusedError) as error:
            attempt = next(attempts, None)
            if looked or attempt is None or not _leads_on(via, attempt[0], error):
                raise
            yield TriedInVain(via, error.message, attempt[1] if attempt[0] == via else None)
        else:
            if via in STOPPING_WAYS:
                yield Restarted(via)
            return


def _check(request: Request) -> None:
    if request.via not in WAYS:
        raise UsageError(f"There is no way '{request.via}'.", hint=f"Choose one of {', '.join(WAYS)}.")
    if request.image is not None and (request.clear or request.restore):
        raise UsageError("An image file is only read.", hint="Change the board itself: leave out --image.")
    if request.restore is not None and request.clear:
        raise UsageError("--clear and --restore contradict each other.")
    if request.restore is not None and request.via == "control":
        raise UsageError(
            "The running firmware takes no saved job.", hint="Leave out --via, or use repl or rom."
        )


def _leads_on(via: str, following: str, error: DispctlError) -> bool:
    """Whether another way may lead further: not when the board says that it is pouring; or the same, more slowly."""
    if following == via:
        from dispctl.adapters.rom import LineUnreliableError

        return isinstance(error, LineUnreliableError)
    return isinstance(error, BoardSilentError) or via == "control"


def _ways(request: Request) -> tuple[str, ...]:
    if request.image is not None:
        return ("image",)
    if request.via != "auto":
        return (request.via,)
    return WAYS[2:] if request.restore is not None else WAYS[1:]


def _attempts(request: Request) -> Iterator[tuple[str, int | None]]:
    """The ways, in their order, each with the speed of the bootloader."""
    for via in _ways(request):
        if via == "rom" and request.baud is None:
            from dispctl.adapters.rom import BAUD_LADDER  # only now: esptool takes its time to load

            yield from ((via, baud) for baud in BAUD_LADDER)
        else:
            yield via, request.baud


@contextmanager
def _open(request: Request, via: str, baud: int | None) -> Iterator[Source]:
    if request.image is not None:
        yield ImageSource(request.image)
        return
    if via in STOPPING_WAYS and (request.via != "auto" or request.restore is not None):
        # Where the firmware was not asked before, a way that stops it is taken only if nothing is being poured.
        list(busy.await_end_of_pour(request.port, wait=False))
    with _way_to(request, via, baud) as source:
        yield source


def _way_to(request: Request, via: str, baud: int | None) -> AbstractContextManager[Source]:
    if via == "control":
        is_last = request.via == "control"
        return job_state_sources.open_control_source(
            request.port, CONTROL_TIMEOUT_S if is_last else AUTO_CONTROL_TIMEOUT_S
        )
    if via == "repl":
        return job_state_sources.open_repl_source(request.port)
    return job_state_sources.open_rom_source(request.port, baud)


def _act(request: Request, backups: Backups, source: Source, inspected: Inspected) -> Iterator[Event]:
    if request.raw is not None:
        yield _dump(request.raw, inspected.saved)
    if request.clear:
        yield from _clear(request, backups, source, inspected)


def view_of(saved: SavedFiles) -> dict[str, Any]:
    """What the saved files mean; see `Inspected`."""
    state, findings = job_state.decode(saved.files, saved.on_interrupted)
    damage = [{"file": None, "finding": sentence, "salvaged": False} for sentence in saved.damage]
    return {
        **(state or NOTHING_SAVED),
        "finished": job_state.decode_finished(saved.files),
        "rejected": job_state.decode_rejected(saved.files),
        "findings": [*damage, *findings],
        "filesystem": saved.filesystem,
        "files": {name: len(data) for name, data in sorted(saved.files.items())},
    }


def _dump(folder: Path, saved: SavedFiles) -> Dumped:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in saved.files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written to: {error.strerror}.", hint="Give --raw another folder."
        ) from error
    return Dumped(folder, tuple(sorted(saved.files)))


def _clear(request: Request, backups: Backups, source: Source, inspected: Inspected) -> Iterator[Event]:
    """Remove job and progress, cancelled before so that the backend does not hand it out at once. Ids of finished jobs stay, so that none is poured again, and a rejected report does."""
    saved = inspected.saved
    names = [
        name for name in saved.files if name == job_state.JOB_FILE or name.startswith(job_state.PROGRESS_FILE)
    ]
    job_id = inspected.view["job_id"]
    if names:
        backup = backups.save(saved.mac or "board", {f"/{name}": data for name, data in saved.files.items()})
        yield AboutToClear(job_id, backup)
        if request.cancel is not None and job_id is not None:
            yield Cancelled(job_id, was_over=request.cancel(job_id))
        source.clear(names)
        if set(names) & set(source.read().files):
            raise BoardRefusedError("The board still holds the job.", hint=f"It is saved in {backup}.")
    yield Cleared(job_id)
