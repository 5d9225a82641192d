"""Files taken from boards, kept on this machine; knows nothing of how they were read or what they mean.

One zip file a backup, readable with anything; they hold passwords and tokens, so only their owner may read them. A note
per board says that its files are on the way from an old filesystem to a new one: until that is done the backup counts,
not the board.
"""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from dispctl.errors import DamagedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"(?P<board>[0-9a-f]{12})-\d{8}T")
_OWNER_ONLY_FOLDER = 0o700
_OWNER_ONLY_FILE = 0o600


class Backups:
    """The backups in `folder`, which is made when the first one is saved. A board is named by its MAC.

    What writes raises UsageError when the folder takes nothing: full, or not ours; so does what looks into it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, mac: str, files: Mapping[str, bytes]) -> Path:
        """Write `files` (absolute path on the board to contents) to a new backup; returns where it is."""
        taken_at = datetime.now(tz=timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        path = self.folder / f"{_plain(mac)}-{taken_at}.zip"
        self._write(path, _zipped(files))
        return path

    def note_underway(self, mac: str, backup: Path | None) -> None:
        """Remember that the board's filesystem is being replaced, with its files in `backup` (None: it had none)."""
        self._write(self._note(mac), json.dumps({"backup": backup and backup.name}).encode())

    def forget_underway(self, mac: str) -> None:
        """The new filesystem is there and verified."""
        self._note(mac).unlink(missing_ok=True)

    def underway(self, mac: str) -> tuple[Path | None] | None:
        """The backup noted by `note_underway`, in a tuple; None when nothing is under way.

        Raises DamagedError when the note cannot be made sense of.
        """
        try:
            name = json.loads(self._note(mac).read_bytes())["backup"]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(
                f"The backups in {self.folder} cannot be looked into: {error.strerror}.",
                hint="Get access to that folder; nothing was taken from the board.",
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedError(
                f"{self._note(mac)}, which tells where the files of a board cut in the middle are, cannot be read.",
                hint="They are in the newest backup beside it. Remove the note to go on with what is on the board.",
            ) from error
        return (name and self.folder / name,)

    def _note(self, mac: str) -> Path:
        return self.folder / f"{_plain(mac)}.underway"

    def _write(self, path: Path, data: bytes) -> None:
        try:
            self._replace(path, data)
        except OSError as error:
            with suppress(OSError):
                _unfinished(path).unlink(missing_ok=True)
            raise UsageError(
                f"The backup cannot be written to {self.folder}: {error.strerror}.",
                hint="Make room there, or get access to it; nothing was taken from the board.",
            ) from error

    def _replace(self, path: Path, data: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY_FOLDER)
        new = _unfinished(path)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


def default_backups() -> Backups:
    """The backups in this user's data folder."""
    from platformdirs import user_data_path

    return Backups(user_data_path("dispctl") / "backups")


def board_of(path: Path) -> str | None:
    """The MAC of the board that the backup was taken from, as its name tells; None for a name that does not."""
    found = _NAME.match(path.name)
    return ":".join(re.findall("..", found["board"])) if found else None


def load(path: Path) -> dict[str, bytes]:
    """The files of a backup, by absolute path on the board; raises DamagedError when it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"/{name}": archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DamagedError(
            f"The backup {path} cannot be read: {reason}.", hint=f"Backups are in {default_backups().folder}."
        ) from error


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, contents in sorted(files.items()):
            archive.writestr(path.lstrip("/"), contents)
    return buffer.getvalue()


def _unfinished(path: Path) -> Path:
    return path.with_suffix(path.suffix + ".new")


def _plain(mac: str) -> str:
    return mac.replace(":", "")
