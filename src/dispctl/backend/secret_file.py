"""The file that keeps the secret of the operators' cookies: made once, readable by its owner alone."""

import os
import secrets
import stat
from pathlib import Path

from dispctl.backend.security import LEAST_SECRET_BYTES


class BadSecretFileError(Exception):
    """The secret file cannot be used; the text says why in one sentence."""


def read_or_create_secret(path: Path) -> bytes:
    """The secret in `path`, made there (mode 0600) when the file is missing. Raises as `read_secret`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_secret(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(LEAST_SECRET_BYTES) + "\n")
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
