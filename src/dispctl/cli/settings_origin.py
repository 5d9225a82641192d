"""Which value every option has when it is not given, and where that value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispctl.cli.configuration import default_map, options_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dispctl.adapters.config_files import ConfigFile
    from dispctl.cli.lazy_group import LazyGroup

BUILT_IN = "default"


@dataclass(frozen=True)
class Setting:
    """One option of one command; `origin` is ``default``, a file's path or the name of an environment variable."""

    command: str
    option: str
    value: Any
    origin: str


def settings(
    root: LazyGroup, files: Iterable[ConfigFile], environment: Mapping[str, str]
) -> Iterator[Setting]:
    """Every option of every command, in the table's order; raises `UsageError` for a file that cannot be meant."""
    layers = [(str(file.path), default_map(root, [file])) for file in files]
    root.load_all()
    for name, command in root.commands.items():
        yield from _settings(
            name, command, [(path, layer.get(name, {})) for path, layer in layers], environment
        )


def _settings(
    path: str, command: Any, layers: list[tuple[str, Mapping[str, Any]]], environment: Mapping[str, str]
) -> Iterator[Setting]:
    for option, parameter in options_of(command).items():
        value, origin = _value(parameter, layers, environment)
        yield Setting(path, option, value, origin)
    for name, child in getattr(command, "commands", {}).items():
        below = [(file, layer.get(name, {})) for file, layer in layers]
        yield from _settings(f"{path} {name}", child, below, environment)


def _value(
    parameter: Any, layers: list[tuple[str, Mapping[str, Any]]], environment: Mapping[str, str]
) -> tuple[Any, str]:
    """The strongest word: the environment, then the last file that says something, then what is built in."""
    variables = parameter.envvar or ()
    for variable in (variables,) if isinstance(variables, str) else variables:
        if environment.get(variable):
            return environment[variable], f"{variable}"
    for path, layer in reversed(layers):
        if parameter.name in layer:
            return layer[parameter.name], path
    return parameter.default, BUILT_IN
