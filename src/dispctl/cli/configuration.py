"""Turns configuration files into the options' defaults: option > environment > project file > user file.

A key is an option's long name; at the top it counts for every command that has the option, in a table named after a
command (``[send-job]``, ``[jars.set]``) for that one. ``yes`` may not be set: a file must not answer for a person.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from dispctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dispctl.adapters.config_files import ConfigFile

NEVER_SET = frozenset({"yes", "help", "version"})


def default_map(root: Any, files: Iterable[ConfigFile]) -> dict[str, Any]:
    """The nested ``default_map`` of the root's context, later files before earlier ones.

    Raises `UsageError` for a key that is no option and for a value that an option cannot have.
    """
    merged: dict[str, Any] = {}
    for file in files:
        _check(root, _every_option(root), file.tables, str(file.path))
        _merge(merged, _defaults(root, file.tables, {}))
    return merged


def _defaults(command: Any, table: dict[str, Any], inherited: dict[str, Any]) -> dict[str, Any]:
    """What `table` says for `command` and those below it; `inherited` comes from the tables above."""
    keys = {**inherited, **{key: value for key, value in table.items() if not isinstance(value, dict)}}
    names = _options(command)
    defaults = {names[key].name: value for key, value in keys.items() if key in names}
    children = {
        name: _defaults(child, table.get(name, {}) if isinstance(table.get(name), dict) else {}, keys)
        for name, child in _children(command)
    }
    return {**defaults, **children}


def _check(command: Any, allowed: dict[str, Any], table: dict[str, Any], where: str) -> None:
    children = dict(_children(command))
    for key, value in table.items():
        if isinstance(value, dict):
            if key not in children:
                raise _unknown(where, f"[{key}]", "command", key, children)
            _check(children[key], _every_option(children[key]), value, f"{where}, [{key}]")
        elif key not in allowed:
            raise _unknown(where, key, "setting", key, allowed)
        elif not _fits(allowed[key], value):
            raise UsageError(f"{where}: {key} cannot be {value!r}.", hint="See dispctl COMMAND --help.")


def _unknown(where: str, shown: str, kind: str, key: str, known: Iterable[str]) -> UsageError:
    close = difflib.get_close_matches(key, list(known), n=1)
    hint = f"Did you mean {close[0]}?" if close else "Settings are the long names of options: see --help."
    return UsageError(f"{where}: {shown} is no {kind} that can be set.", hint=hint)


def _fits(option: Any, value: Any) -> bool:
    if option.multiple:
        return isinstance(value, list) and all(isinstance(each, (str, int, float)) for each in value)
    if option.is_flag:
        return isinstance(value, bool)
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _every_option(command: Any) -> dict[str, Any]:
    found = _options(command)
    for _, child in _children(command):
        found = {**_every_option(child), **found}
    return found


def _options(command: Any) -> dict[str, Any]:
    """Options by their long names without the dashes."""
    return {
        name.removeprefix("--"): option
        for option in command.params
        if option.param_type_name == "option"
        for name in option.opts
        if name.startswith("--") and name.removeprefix("--") not in NEVER_SET
    }


def _children(command: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(command, "commands", {}).items()


def _merge(into: dict[str, Any], stronger: dict[str, Any]) -> None:
    for key, value in stronger.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
