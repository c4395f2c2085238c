"""The tools without the venue: `python -m exchange.tools --help`."""

from __future__ import annotations

import typer

from exchange.tools.cli import register

app = typer.Typer(
    help="Read the journal of a Seamark.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
register(app)

if __name__ == "__main__":
    app()
