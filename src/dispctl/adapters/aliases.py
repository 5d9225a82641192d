"""Names that people give to boards, kept in the user's configuration; knows nothing of where a board is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dispctl.errors import DamagedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_DEVICE_NAME = re.compile(r"com\d+|auto", re.IGNORECASE)
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")


class Aliases:
    """The aliases in the file `path`: each name stands for the MAC of one board."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> dict[str, str]:
        """MACs by name, in the names' order; raises DamagedError when the file cannot be read."""
        try:
            fields = json.loads(self.path.read_bytes())
            return {str(name): normal_mac(fields[name]) for name in sorted(fields)}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError, KeyError, UsageError) as error:
            raise DamagedError(f"{self.path} cannot be read: {error}.", hint="Mend or remove it.") from error

    def mac_of(self, name: str) -> str | None:
        """The MAC that `name` stands for, if it is an alias."""
        return self.all().get(name)

    def name_of(self, mac: str) -> str | None:
        """The first alias of the board with this MAC, if it has one."""
        return next((name for name, known in self.all().items() if known == mac), None)

    def save(self, name: str, mac: str) -> None:
        """Let `name` stand for `mac` from now on; raises UsageError for a name that a port could have."""
        if not _NAME.fullmatch(name) or _DEVICE_NAME.fullmatch(name):
            raise UsageError(
                f"'{name}' cannot be an alias.", hint="Take letters, digits, dots and dashes: bench-1."
            )
        self._write({**self.all(), name: normal_mac(mac)})

    def remove(self, name: str) -> None:
        """Forget `name`; raises UsageError when it is no alias."""
        known = self.all()
        if known.pop(name, None) is None:
            raise UsageError(f"There is no alias {name}.", hint="See them with dispctl ports alias.")
        self._write(known)

    def _write(self, aliases: Mapping[str, str]) -> None:
        new = self.path.with_suffix(".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(aliases, indent=1, sort_keys=True) + "\n")
            new.replace(self.path)
        except OSError as error:
            raise UsageError(f"{self.path} cannot be written: {error.strerror}.") from error


def user_aliases() -> Aliases:
    """The aliases of this user."""
    from platformdirs import user_config_path

    return Aliases(user_config_path("dispctl", appauthor=False) / "aliases.json")


def is_mac(text: str) -> bool:
    """Whether `text` is a MAC, as ``24:6f:28:d1:5c:01``, with dashes or in capitals."""
    return bool(_MAC.fullmatch(_with_colons(text)))


def normal_mac(text: str) -> str:
    """The MAC in small letters with colons; raises UsageError when it is none."""
    if not is_mac(text):
        raise UsageError(f"'{text}' is no MAC.", hint="It looks like 24:6f:28:d1:5c:01.")
    return _with_colons(text)


def _with_colons(text: str) -> str:
    return text.strip().lower().replace("-", ":")
