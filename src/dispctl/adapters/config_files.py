"""Reads the user's ``config.toml`` and the project's ``dispctl.toml``; knows nothing of what may stand in them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispctl.errors import UsageError

PROJECT_FILE = "dispctl.toml"
USER_FILE = "config.toml"


@dataclass(frozen=True)
class ConfigFile:
    """One file's tables."""

    path: Path
    tables: dict[str, Any]


def config_files() -> list[ConfigFile]:
    """The files that exist, the weaker first: the user's, then the current folder's; raises `UsageError`."""
    return [ConfigFile(path, _read(path)) for path in config_places() if path.is_file()]


def config_places() -> tuple[Path, Path]:
    """The user's file and the current folder's, whether they exist or not."""
    import platformdirs

    return platformdirs.user_config_path("dispctl", appauthor=False) / USER_FILE, Path(PROJECT_FILE)


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is damaged: it is not UTF-8.") from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a ValueError of its own
        raise UsageError(
            f"{path} is damaged: {str(error).rstrip('.')}.", hint="Mend or remove it."
        ) from error
