"""The operator's session with each backend, a file each that only its owner can read; knows nothing of HTTP."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from dispctl.adapters.backend_address import normalized
from dispctl.adapters.private_file import read_object, replace_object

STATE_DIRECTORY_VARIABLE = "DISPCTL_STATE_DIR"


@dataclass(frozen=True)
class Session:
    """Who is logged in, and the cookie that proves it."""

    operator: str
    cookie: str = field(repr=False)


def state_directory() -> Path:
    """Where dispctl keeps what it must remember: ``DISPCTL_STATE_DIR``, else the user's own place for it."""
    named = os.environ.get(STATE_DIRECTORY_VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_state_path("dispctl", appauthor=False)


def file_of(backend: str, kind: str) -> Path:
    """The file of that kind for one backend; a readable name, made unique by a digest of the whole address."""
    address = normalized(backend)
    readable = re.sub(r"[^a-z0-9.]+", "-", address.partition("://")[2].lower())[:60]
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    return state_directory() / f"{readable}-{digest}.{kind}.json"


def load_session(backend: str) -> Session | None:
    """The session kept for a backend, None where nobody is logged in; raises `DamagedError`."""
    path = file_of(backend, "session")
    document = read_object(path)
    cookie = document.get("access_token")
    if not isinstance(cookie, str) or not cookie:
        return None
    return Session(operator=str(document.get("operator", "")), cookie=cookie)


def save_session(backend: str, session: Session) -> Path:
    """Keep the session for a backend; answers the file's path."""
    path = file_of(backend, "session")
    replace_object(path, {"operator": session.operator, "access_token": session.cookie})
    return path


def remove_session(backend: str) -> bool:
    """Forget the session; answers whether there was one."""
    path = file_of(backend, "session")
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed
