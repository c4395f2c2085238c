"""The command line: `seamark --help`."""

from __future__ import annotations

from typing import Final

from exchange.late import Late, group_of

#: In the order of `seamark --help`; a command's module is imported when it is called for.
COMMANDS: Final = {
    "serve": Late(
        "exchange.venue_cli:serve_command",
        "Open the venue: sessions, matching and the journal, until ctrl-C.",
    ),
    "demo": Late(
        "exchange.demo_cli:demo_command",
        "Let two clients trade against a running venue, and show every message decoded.",
    ),
    "screens": Late(
        "exchange.screens.cli:screens_command",
        "Show the market to browsers: books, trades and tickers by WebSocket, until ctrl-C.",
    ),
    "check-config": Late(
        "exchange.venue_cli:check_config_command",
        "Read the settings, report every error at once, start nothing.",
    ),
    "keys": Late(
        "exchange.keys:app",
        "Make, hash and list the credentials of sessions.",
    ),
    "market": Late(
        "exchange.operator_cli:market_command",
        "Say what an instrument takes, or show what was said.",
    ),
    "account": Late(
        "exchange.operator_cli:account_command",
        "Stop an account, let it trade again, or show what was said.",
    ),
    "funds": Late(
        "exchange.operator_cli:funds_command",
        "Deposit funds, withdraw them, or show what was asked for.",
    ),
    "maintenance": Late(
        "exchange.operator_cli:maintenance_command",
        "Plan maintenance of a running venue, call it off, or show what is planned.",
    ),
    "log": Late(
        "exchange.tools.cli:log_command",
        "Show messages with names instead of numbers: > to the venue, < from it.",
    ),
    "book": Late(
        "exchange.tools.cli:book_command",
        "Show the book of an instrument as it stood at a moment; by default at the end.",
    ),
    "journal": Late(
        "exchange.tools.journal_cli:app",
        "Read a journal, also while a venue writes it; make it shorter when none does.",
    ),
    "replay": Late(
        "exchange.replaying:replay_command",
        "Play a recorded session against a venue, and compare its answers with the recorded ones.",
    ),
    "echo": Late(
        "exchange.venue_cli:echo_command",
        "Run the echo application, the target of session conformance scripts.",
    ),
}

app = group_of(COMMANDS, "Seamark: a FIX 4.4 exchange acceptor with a matching engine behind it.")


def main() -> None:
    """Entry point of `seamark`."""
    app()


if __name__ == "__main__":
    main()
