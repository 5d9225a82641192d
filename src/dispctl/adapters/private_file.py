"""JSON files that only their owner can read, replaced as a whole; knows nothing of what is in them."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from dispctl.errors import DamagedError, UsageError


def read_object(path: Path) -> dict[str, Any]:
    """The object in the file, empty where there is no file.

    Raises `DamagedError` where it holds something else, `UsageError` where it cannot be read.
    """
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError):
        # The original error would quote the content.
        raise _damaged(path) from None
    if not isinstance(document, dict):
        raise _damaged(path)
    return document


def replace_object(path: Path, document: dict[str, Any]) -> None:
    """Replace the file by one with mode 0600; a cut leaves the old one or the new one whole."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp gives mode 0600 from the first moment on.
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink()
            raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _damaged(path: Path) -> DamagedError:
    return DamagedError(f"{path} is damaged.", hint="Remove it; dispctl login makes a new one.")
