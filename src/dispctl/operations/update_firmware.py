"""Bring the firmware package of a running board up to date over its prompt; prints nothing, asks nothing.

Only what differs travels. Everything is staged, checked and then committed by one rename; the board puts it in place
when it starts, and takes it back when the new version does not say that it runs (`dispctl.firmware.updater`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dispctl.adapters.backups import Backups, default_backups
from dispctl.errors import DamagedError
from dispctl.firmware import VERSION, updater
from dispctl.operations import boot, busy, package_form, update_scripts
from dispctl.operations.boot import Started
from dispctl.operations.choose_boards import check_mac
from dispctl.operations.firmware_package import PACKAGE_FOLDER, twin_of
from dispctl.operations.kept_files import Replaced
from dispctl.operations.package_form import Prepared
from dispctl.operations.update_scripts import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from dispctl.adapters.port import SerialPort
    from dispctl.adapters.repl import ReplSession
    from dispctl.operations.firmware_package import Package
    from dispctl.operations.update_scripts import Survey

SPARE_BYTES = 32 * 1024
"""What stays free on the board: the saved job grows, and renames need a block now and then."""


@dataclass(frozen=True)
class Compared:
    """What the board has that differs from the package (`changed`), and what it has of an older one (`stale`).

    A module in the package's other form is stale whoever put it there: the board would load the source of the two.
    """

    mac: str
    micropython: str
    changed: tuple[str, ...]
    stale: tuple[str, ...]


@dataclass(frozen=True)
class Committed:
    """The update is on the board, whole; `sent_bytes` of programs brought it there. It is put in place at the next start."""

    files: int
    sent_bytes: int


Event = busy.Waited | Prepared | Compared | Replaced | Committed | Started


@dataclass(frozen=True)
class Request:
    """Which board, and how patiently. `backups` get what others put in places of ours; `expected_mac` refuses another one; `as_source` as in `flash`."""

    port: str
    as_source: bool = False
    wait: bool = False
    force: bool = False
    expected_mac: str | None = None
    backups: Backups = field(default_factory=default_backups)
    boot_timeout_s: float = boot.TIMEOUT_S
    on_progress: Callable[[float, str], None] = field(default=lambda _part, _words: None)


def update_firmware(request: Request, package: Package | None = None) -> Generator[Event, None, None]:
    """Do all of it; the last event is `Started`. Without a `package` it is this version's, in the form that fits.

    Raises the errors of the port and the prompt, BoardRefusedError while a jar is being poured and for another board,
    DamagedError when what was sent does not read back or does not fit, DeadlineError when the firmware does not start;
    then the board runs the version that it had.
    """
    from dispctl.adapters.repl import open_repl

    if not request.force:
        yield from busy.await_end_of_pour(request.port, wait=request.wait)
    if package is None and not request.as_source:
        package_form.begin()
    with open_repl(request.port) as session:
        survey = update_scripts.read_survey(session.run(update_scripts.SURVEY))
        check_mac(request.port, survey.mac, request.expected_mac)
        package = package or package_form.for_running(
            survey.micropython, survey.bytecode_version, as_source=request.as_source
        )
        yield Prepared(package.form, package.reason)
        compared = _compare(survey, package.files)
        yield compared
        yield from _save_what_goes(request, session, survey, compared)
        # A version on trial that was stopped would be taken back: it is committed again, even with nothing to change.
        is_new = bool(compared.changed or compared.stale) or updater.PREVIOUS in survey.folders
        if is_new:
            yield _send(request, session, survey, package.files, compared)
        port = session.restart()
        started = _await_start(port, request.boot_timeout_s, is_new=is_new)
    if started.version != VERSION:
        raise DamagedError(f"The board started firmware {started.version}, not {VERSION}.")
    yield started


def _save_what_goes(
    request: Request, session: ReplSession, survey: Survey, compared: Compared
) -> Iterator[Replaced]:
    """Files of others that the update overwrites or removes."""
    going = sorted(survey.foreign & {*compared.changed, *compared.stale})
    if going:
        contents = {path: session.read_file(path) for path in going}
        yield Replaced(tuple(going), request.backups.save(survey.mac, contents))


def _await_start(port: SerialPort, timeout_s: float, *, is_new: bool) -> Started:
    if not is_new:
        return boot.await_boot_line(port, timeout_s)
    # A version that hangs is reset by the board, which then starts the one before.
    return boot.await_update(port, timeout_s + updater.TRIAL_MS / 1000)


def _compare(survey: Survey, files: Mapping[str, bytes]) -> Compared:
    changed = [
        path for path, data in files.items() if survey.digests.get(path) != update_scripts.digest(data)
    ]
    twins = {twin_of(path) for path in files}
    stale = {
        path
        for path in set(survey.digests) - set(files)
        if path in twins or (path.startswith(PACKAGE_FOLDER) and path not in survey.foreign)
    }
    return Compared(survey.mac, survey.micropython, tuple(changed), tuple(sorted(stale)))


def _send(
    request: Request, session: ReplSession, survey: Survey, files: Mapping[str, bytes], compared: Compared
) -> Committed:
    changes = Changes({path: files[path] for path in compared.changed}, compared.stale)
    staged = changes.staged()
    _check_room(survey, staged)
    programs = list(update_scripts.staging(staged, packed=survey.can_unpack))
    total, sent, printed = sum(map(len, programs)), 0, ""
    for program in programs:
        printed += session.run(program)
        sent += len(program)
        request.on_progress(sent / total, "Sending files")
    _verify(staged, printed)
    session.run(update_scripts.commit(changes))
    return Committed(len(staged), sent)


def _check_room(survey: Survey, staged: Mapping[str, bytes]) -> None:
    needed = sum(map(len, staged.values())) + SPARE_BYTES
    if survey.free_bytes < needed:
        raise DamagedError(
            f"The update needs {needed // 1024} KiB on the board and {survey.free_bytes // 1024} KiB are free.",
            hint="Remove files from the board, or write all of it anew: dispctl flash.",
        )


def _verify(staged: Mapping[str, bytes], printed: str) -> None:
    read_back = dict(line.rsplit(" ", 1) for line in printed.splitlines() if " " in line)
    for name, data in staged.items():
        if read_back.get(name) != update_scripts.digest(data):
            raise DamagedError(
                f"{name} does not read back as it was sent.", hint="Nothing was changed; repeat the command."
            )
