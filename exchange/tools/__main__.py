"""The tools without the venue: `python -m exchange.tools --help`."""

from __future__ import annotations

from exchange.__main__ import COMMANDS
from exchange.late import group_of

app = group_of(
    {name: COMMANDS[name] for name in ("journal", "log", "book")}, "Read the journal of a Seamark."
)

if __name__ == "__main__":
    app()
