"""What commands share: the dictionary that they are given, and an end in one line."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fix_engine.dictionary import Dictionary, DictionaryError

DictionaryFile = Annotated[
    Path | None,
    typer.Option("--dictionary", help="QuickFIX data dictionary; by default specs/FIX44.xml."),
]


def load_dictionary(path: Path | None, code: int = 1) -> Dictionary:
    """The data dictionary; ends the command, with this exit code, where there is none."""
    source = path or files("specs") / "FIX44.xml"
    try:
        return Dictionary(source.read_bytes())
    except OSError as error:
        fail(f"{source}: {error.strerror}", code)
    except DictionaryError as error:
        fail(f"{source}: {error}", code)


def fail(text: str, code: int = 1) -> NoReturn:
    """End with a text on standard error and this exit code."""
    print(f"seamark: {text}", file=sys.stderr)
    raise typer.Exit(code) from None
