"""The command line: `seamark --help`."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from config.settings import ConfigError, Settings, load
from exchange import keys, operator_cli
from exchange.access import UnsafeError, check_access
from exchange.demo import DemoError, run_demo
from exchange.replaying import replay_command
from exchange.rules import RulesError
from exchange.screens.cli import register as register_screens
from exchange.service import Opened, echo, run_loop, serve
from exchange.tools.cli import register as register_tools
from fix_engine.dictionary import Dictionary, DictionaryError
from sessions.acceptor import ListenError
from sessions.journal import JournalError
from sessions.maintenance import MAX_SECONDS, MaintenanceError, MaintenancePlan, plan_from
from sessions.telemetry import configure_logging
from sessions.timetable import utc
from sessions.tls import TlsError

app = typer.Typer(
    help="Seamark: a FIX 4.4 exchange acceptor with a matching engine behind it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="TOML settings; without it the embedded defaults are used."),
]
DictionaryFile = Annotated[
    Path | None,
    typer.Option("--dictionary", help="QuickFIX data dictionary; by default specs/FIX44.xml."),
]


app.add_typer(keys.app, name="keys")
app.command("replay")(replay_command)
operator_cli.register(app)
register_screens(app)
register_tools(app)


@app.command("serve")
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

    loaded = _dictionary(dictionary)
    _run(lambda: run_loop(serve(settings, loaded, announce)))
    print("Closed: every session is logged out, the journal is complete.")


@app.command("echo")
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
    loaded = _dictionary(dictionary)

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


@app.command("check-config")
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


@app.command("maintenance")
def maintenance_command(
    config: ConfigFile = None,
    data: Annotated[Path | None, typer.Option(help="Directory of the journal.")] = None,
    starts_in: Annotated[
        int, typer.Option(help="Seconds until it starts.", min=0, max=MAX_SECONDS)
    ] = 600,
    lasts: Annotated[
        int | None, typer.Option(help="Seconds that it lasts.", min=1, max=MAX_SECONDS)
    ] = None,
    reason: Annotated[str, typer.Option(help="What everybody is told.")] = "maintenance",
    cancel: Annotated[bool, typer.Option("--cancel", help="Call it off, or end it now.")] = False,
) -> None:
    """Plan maintenance of a running venue, call it off, or show what is planned.

    Everybody is told by News, counting down as [schedule] announce_s says; then everybody is logged
    out, and told when to come again. The venue keeps running, and its plan outlives a restart.
    """
    settings = _settings(config, journal={"directory": data})
    plan = MaintenancePlan(settings.journal.directory)
    try:
        if cancel:
            print("Called off." if plan.cancel() else "Nothing was planned.")
            return
        if lasts is not None:
            plan.write(plan_from(time.time_ns(), starts_in, lasts, reason))
        planned = plan.read()
    except MaintenanceError as error:
        _fail(str(error))
    if planned is None or planned.ends <= time.time_ns():
        print("Nothing is planned; --lasts SECONDS plans something.")
    else:
        print(f"Planned: {planned.reason}, {utc(planned.starts)} to {utc(planned.ends)} UTC.")


@app.command("demo")
def demo_command(
    host: Annotated[str, typer.Option(help="Where the venue listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 9880,
    target_comp_id: Annotated[str, typer.Option(help="Its CompID.")] = "SEAMARK",
    dictionary: DictionaryFile = None,
) -> None:
    """Let two clients trade against a running venue, and show every message decoded."""
    try:
        run_demo(host, port, target_comp_id, _dictionary(dictionary))
    except DemoError as error:
        _fail(str(error))


def main() -> None:
    """Entry point of `seamark`."""
    app()


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
        _fail(str(error))


def _dictionary(path: Path | None) -> Dictionary:
    source = path or files("specs") / "FIX44.xml"
    try:
        return Dictionary(source.read_bytes())
    except OSError as error:
        _fail(f"{source}: {error.strerror}")
    except DictionaryError as error:
        _fail(f"{source}: {error}")


def _run(work: Callable[[], None]) -> None:
    try:
        work()
    except (UnsafeError, TlsError, ListenError, RulesError, JournalError) as error:
        _fail(str(error))
    except Exception as error:
        _fail(
            f"stopped by a fault of its own, {type(error).__name__}: {error}. Nothing of the turn "
            f"in which it happened was shown; what was acknowledged before is in the journal."
        )


def _fail(text: str) -> NoReturn:
    print(f"seamark: {text}", file=sys.stderr)
    raise typer.Exit(1)


if __name__ == "__main__":
    main()
