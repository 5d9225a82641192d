"""Turns configuration files into the options' defaults: option > environment > project file > user file.

A key is an option's long name; at the top it counts for every command that has the option and can take the value, in a
table named after a command (``[send-job]``, ``[jars.set]``) for that one. A repeatable option takes one value or a list.
``yes`` may not be set: a file must not answer for a person.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from dispctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dispctl.adapters.config_files import ConfigFile
    from dispctl.cli.lazy_group import LazyGroup

NEVER_SET = frozenset({"yes", "help", "version"})


def default_map(root: LazyGroup, files: Iterable[ConfigFile], *, only: str | None = None) -> dict[str, Any]:
    """The nested ``default_map`` of the root's context, later files before earlier ones.

    With `only`, for that command alone: the others are imported only to know a key that it does not have, and their
    tables are not looked into. Raises `UsageError` for a key that is no option and for a value that an option cannot have.
    """
    merged: dict[str, Any] = {}
    for file in files:
        tables = _relevant(root, file.tables, only)
        _check(root, _every_option(root), tables, str(file.path))
        _merge(merged, _defaults(root, tables, {}))
    return merged


def _relevant(root: LazyGroup, tables: dict[str, Any], only: str | None) -> dict[str, Any]:
    """The tables without those of other commands than `only`, and every command imported that is needed to judge them."""
    if only is None:
        root.load_all()
        return tables
    others = root.commands.keys() - {only}
    relevant = {
        key: value for key, value in tables.items() if not (key in others and isinstance(value, dict))
    }
    known = _every_option(root.load(only))
    plain = {key: value for key, value in relevant.items() if not isinstance(value, dict)}
    if not all(_fits_any(known.get(key, ()), value) for key, value in plain.items()):
        root.load_all()
    return relevant


def _defaults(command: Any, table: dict[str, Any], inherited: dict[str, Any]) -> dict[str, Any]:
    """What `table` says for `command` and those below it; `inherited` comes from the tables above."""
    keys = {**inherited, **{key: value for key, value in table.items() if not isinstance(value, dict)}}
    names = options_of(command)
    defaults = {
        names[key].name: [value] if names[key].multiple and not isinstance(value, list) else value
        for key, value in keys.items()
        if key in names and _fits(names[key], value)
    }
    children = {
        name: _defaults(child, table.get(name, {}) if isinstance(table.get(name), dict) else {}, keys)
        for name, child in _children(command)
    }
    return {**defaults, **children}


def _check(command: Any, allowed: dict[str, list[Any]], table: dict[str, Any], where: str) -> None:
    children = dict(_children(command))
    for key, value in table.items():
        if isinstance(value, dict):
            if key not in children:
                raise _unknown(where, f"[{key}]", "command", key, children)
            _check(children[key], _every_option(children[key]), value, f"{where}, [{key}]")
        elif key not in allowed:
            raise _unknown(where, key, "setting", key, allowed)
        elif not _fits_any(allowed[key], value):
            raise UsageError(f"{where}: {key} cannot be {value!r}.", hint="See dispctl COMMAND --help.")


def _unknown(where: str, shown: str, kind: str, key: str, known: Iterable[str]) -> UsageError:
    close = difflib.get_close_matches(key, list(known), n=1)
    hint = f"Did you mean {close[0]}?" if close else "Settings are the long names of options: see --help."
    return UsageError(f"{where}: {shown} is no {kind} that can be set.", hint=hint)


def _fits_any(options: Iterable[Any], value: Any) -> bool:
    return any(_fits(option, value) for option in options)


def _fits(option: Any, value: Any) -> bool:
    if option.multiple and isinstance(value, list):
        return all(_is_plain(each) for each in value)
    return isinstance(value, bool) if option.is_flag else _is_plain(value)


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _every_option(command: Any) -> dict[str, list[Any]]:
    """The options of `command` and of all below it, by name."""
    found = {name: [option] for name, option in options_of(command).items()}
    for _, child in _children(command):
        for name, options in _every_option(child).items():
            found.setdefault(name, []).extend(options)
    return found


def options_of(command: Any) -> dict[str, Any]:
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
