"""`seamark serve`, `echo` and `check-config`: what listens, and whether it could."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from config.settings import ConfigError, Settings, load
from exchange.access import UnsafeError, check_access
from exchange.command_line import DictionaryFile, fail, load_dictionary
from exchange.rules import RulesError
from exchange.service import Opened, echo, run_loop, serve
from sessions.acceptor import ListenError
from sessions.journal import JournalError
from sessions.telemetry import configure_logging
from sessions.tls import TlsError

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="TOML settings; without it the embedded defaults are used."),
]


def serve_command(
    config: ConfigFile = None,
    data: Annotated[Path | None, typer.Option(help="Directory of the journal.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any.")] = None,
    durability: Annotated[
        str | None, typer.Option(help="What a reply survives: fsync, os or memory.")
    ] = None,
    sender_comp_id: Annotated[str | None, typer.Option(help="Our CompID.")] = None,
    dictionary: DictionaryFile = None,
    reset_on_logon: Annotated[
        bool | None,
        typer.Option("--reset-on-logon", help="Every Logon starts both sequences at 1."),
    ] = None,
) -> None:
    """Open the venue: sessions, matching and the journal, until ctrl-C."""
    settings = _settings(
        config,
        listen={"host": host, "port": port},
        journal={"directory": data, "durability": durability},
        session={"sender_comp_id": sender_comp_id, "reset_on_logon": reset_on_logon},
    )
    configure_logging()

    def announce(opened: Opened) -> None:
        _announce_venue(settings, opened)

    loaded = load_dictionary(dictionary)
    _run(lambda: run_loop(serve(settings, loaded, announce)))
    print("Closed: every session is logged out, the journal is complete.")


def echo_command(
    port: Annotated[int, typer.Option(help="Port to listen on, on loopback.")] = 9881,
    dictionary: DictionaryFile = None,
    sender_comp_id: Annotated[str, typer.Option(help="Our CompID.")] = "ISLD",
    target_comp_id: Annotated[str, typer.Option(help="The only peer that may log on.")] = "TW44",
    reset_on_logon: Annotated[
        bool, typer.Option("--reset-on-logon", help="Every Logon starts both sequences at 1.")
    ] = False,
) -> None:
    """Run the echo application, the target of session conformance scripts."""
    configure_logging()
    loaded = load_dictionary(dictionary)

    def announce(bound: int) -> None:
        print(f"Echoing on 127.0.0.1:{bound} as {sender_comp_id} to {target_comp_id}.", flush=True)

    _run(
        lambda: run_loop(
            echo(
                port,
                loaded,
                sender_comp_id,
                target_comp_id,
                reset_on_logon,
                announce,
            )
        )
    )


def check_config_command(
    config: Annotated[Path | None, typer.Argument(help="TOML settings.")] = None,
) -> None:
    """Read the settings, report every error at once, start nothing."""
    settings = _settings(config)
    _run(lambda: check_access(settings))
    where = config or "the embedded defaults"
    symbols = ", ".join(instrument.symbol for instrument in settings.instruments)
    print(f"{where}: in order. {settings.session.sender_comp_id} would listen on")
    print(f"{settings.listen.host}:{settings.listen.port} and trade {symbols}.")


def _announce_venue(settings: Settings, opened: Opened) -> None:
    symbols = " ".join(instrument.symbol for instrument in settings.instruments)
    durability = settings.journal.durability
    journal = f"{opened.journal} ({durability})" if opened.journal else "in memory, not kept"
    host, port = opened.plain or opened.tls or ("", 0)
    sessions = [one.comp_id for account in settings.accounts for one in account.sessions]
    others = f" and {len(sessions) - 3:,} more" if len(sessions) > 3 else ""
    who = f"SenderCompID {', '.join(sessions[:3])}{others}" if sessions else "any SenderCompID"
    print(f"Seamark {version('seamark')} listens on {host}:{port}, FIX.4.4.")
    print(f"  Log on    TargetCompID {settings.session.sender_comp_id}, {who}")
    if opened.tls is not None:
        host, port = opened.tls
        print(f"  TLS       on {host}:{port}, TLS {settings.tls.min_version} and above")
    print(f"  Trade     {symbols}")
    print(f"  Journal   {journal}")
    print(f"  Codec     {opened.codec}")
    if opened.sessions:
        print(
            f"  Recovered {opened.sessions:,} sessions and {opened.open_orders:,} open orders "
            f"from {opened.commands:,} commands in {opened.recovery_s:.1f} s"
        )
    print(f"Next: {_next_step(sessions, opened)} Ctrl-C closes it.", flush=True)


def _next_step(sessions: list[str], opened: Opened) -> str:
    if sessions or opened.plain is None:
        return "docs/logon.md shows how a client proves who it is."
    port = opened.plain[1]
    option = "" if port == 9880 else f" --port {port}"
    return f"`{_program()} demo{option}` trades on it."


def _program() -> str:
    """What to type to run this program again, from here."""
    path = Path(sys.argv[0])
    if path.name != "seamark":
        return "python -m exchange"
    return "seamark" if shutil.which("seamark") == str(path.absolute()) else sys.argv[0]


def _settings(config: Path | None, **overrides: dict[str, object]) -> Settings:
    try:
        return load(config, overrides)
    except ConfigError as error:
        fail(str(error))


def _run(work: Callable[[], None]) -> None:
    try:
        work()
    except (UnsafeError, TlsError, ListenError, RulesError, JournalError) as error:
        fail(str(error))
    except Exception as error:
        fail(
            f"stopped by a fault of its own, {type(error).__name__}: {error}. Nothing of the turn "
            f"in which it happened was shown; what was acknowledged before is in the journal."
        )
