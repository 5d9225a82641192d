"""A group whose commands are known by name and one line of help, and imported only when one is run or asked for help.

Importing every command costs more than everything else that ``--help``, ``--version`` and completion do together.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

if TYPE_CHECKING:
    from collections.abc import Mapping


class Listed(TyperCommand):
    """A command that is listed and not imported."""

    def __init__(self, name: str, summary: str) -> None:
        super().__init__(name=name, help=summary)


class LazyGroup(TyperGroup):
    """A subclass lists its commands in `sections`: by title, each command's name and its help in one line.

    The command ``send-job`` is `package`'s module ``send_job``, which holds a function of its own name or, for a group
    of commands, ``app``.
    """

    sections: Mapping[str, Mapping[str, str]] = {}
    package = ""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for section in self.sections.values():
            for name, summary in section.items():
                self.add_command(Listed(name, summary))

    def load(self, name: str) -> Any:
        """The command `name` itself; its module is imported the first time."""
        if isinstance(self.commands[name], Listed):
            self.add_command(_imported(self.package, name), name)
        return self.commands[name]

    def load_all(self) -> None:
        """Import every command."""
        for name in list(self.commands):
            self.load(name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first of `args` names, imported."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, self.load(name) if name is not None else command, rest

    def get_help_option(self, ctx: Any) -> Any:
        """Typer's own, with a default that is a bool: to find that None is none it would import Pydantic."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Click's signature
        """List the commands by section, all in one column."""
        widest = max(map(len, self.commands))
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), summary) for name, summary in section.items()])


def _imported(package: str, name: str) -> Any:
    module_name = name.replace("-", "_")
    module = importlib.import_module(f"{package}.{module_name}")
    # Help without Rich: it is wanted at once, and Rich takes longer to import than all the rest.
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    if hasattr(module, "app"):
        holder.add_typer(module.app, name=name)
    else:
        holder.command(name)(getattr(module, module_name))
    return get_group(holder).commands[name]
