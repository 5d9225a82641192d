"""The file that keeps the secret of the operators' cookies: made once, readable by its owner alone."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from dispctl.backend.security import LEAST_SECRET_BYTES


class BadSecretFileError(Exception):
    """The secret file cannot be used; the text says why in one sentence."""


def read_or_create_secret(path: Path) -> bytes:
    """The secret in `path`, made there (mode 0600) when the file is missing.

    Raises as `read_secret`, and `BadSecretFileError` when the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
    except OSError as error:
        raise BadSecretFileError(f"The secret file {path} cannot be made: {error.strerror}.") from error
    return read_secret(path)


def read_secret(path: Path) -> bytes:
    """The secret in `path`, blanks around it dropped.

    Raises `BadSecretFileError` when the file is missing, readable by others or holds fewer than 32 bytes.
    """
    try:
        secret = path.read_bytes().strip()
        mode = path.stat().st_mode
    except OSError as error:
        raise BadSecretFileError(f"The secret file {path} cannot be read: {error.strerror}.") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadSecretFileError(f"The secret file {path} can be read by others than its owner.")
    if len(secret) < LEAST_SECRET_BYTES:
        raise BadSecretFileError(f"The secret in {path} is shorter than {LEAST_SECRET_BYTES} bytes.")
    return secret


def _create(path: Path) -> None:
    """Make the file whole at once, so that another process never reads half a secret; the first one's stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(LEAST_SECRET_BYTES) + "\n")
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
