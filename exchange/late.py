"""Commands whose modules are imported when they are called for, and not to say that they exist."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

_OPTIONS: Final[dict[str, Any]] = {
    "no_args_is_help": True,
    "add_completion": False,
    "pretty_exceptions_enable": False,
}


@dataclass(frozen=True, slots=True)
class Late:
    """Where a command or a group of them is, as MODULE:NAME, and the first line of its help."""

    where: str
    says: str

    def load(self) -> Any:
        """The function, or the typer.Typer of a group."""
        module, _, name = self.where.partition(":")
        was_enabled = gc.isenabled()
        gc.disable()  # what modules make stays; to look through it again and again is a fifth
        try:
            return getattr(import_module(module), name)
        finally:
            if was_enabled:
                gc.enable()


def group_of(commands: Mapping[str, Late], words: str) -> typer.Typer:
    """An application of these commands, which `words` describe, in their order."""

    class Group(TyperGroup):
        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            name, _, rest = super().resolve_command(ctx, args)
            assert name is not None
            return name, _loaded(name, commands[name]), rest

    app = typer.Typer(
        cls=Group, help=words, context_settings={"help_option_names": ["-h", "--help"]}, **_OPTIONS
    )
    for name, late in commands.items():
        app.command(name, help=late.says)(_not_loaded)
    return app


def _loaded(name: str, late: Late) -> Any:
    found = late.load()
    if isinstance(found, typer.Typer):
        return get_group(found)
    one = typer.Typer(**_OPTIONS)
    one.command(name)(found)
    return get_command(one)


def _not_loaded() -> None:
    """What stands for a command in the list of them."""
