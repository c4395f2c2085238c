"""Composition: settings to a running venue, or to the echo application."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import structlog

from config.accounts import Account
from config.settings import JournalSettings, Settings, VenueSettings
from exchange.access import (
    PRECISIONS,
    check_access,
    make_access_rules,
    make_admission,
    make_limits,
    make_tls_files,
)
from exchange.control_file import ControlFile
from exchange.garbage import Garbage
from exchange.history import HistoryDesk
from exchange.market_data import MarketDataDesk
from exchange.market_data.publisher import CallLater
from exchange.reference import ReferenceDesk
from exchange.rules import AccountRules, InstrumentRules, Rules
from exchange.sequencer import Sequencer
from fix_engine import codec
from fix_engine.dictionary import Dictionary
from fix_engine.logon import SessionSettings
from fix_engine.validation import Validator
from sessions.acceptor import Doors, bind
from sessions.application import Application
from sessions.connection import ConnectionLimits
from sessions.echo import EchoApplication
from sessions.hours import Hours, parse_moment
from sessions.journal import Durability, Journal
from sessions.maintenance import MaintenancePlan
from sessions.registry import Admission
from sessions.server import Server
from sessions.snapshotter import SnapshotPlan
from sessions.timetable import Timetable
from sessions.tls import ServerTls
from sessions.turn import Turn

log = structlog.get_logger(__name__)
A = TypeVar("A", bound=Application)
_SELF_TRADE_MODES: Final = {
    "none": "X",
    "cancel-newest": "N",
    "cancel-oldest": "O",
    "cancel-both": "B",
    "decrement": "D",
}


@dataclass(slots=True)
class Opened:
    """What a venue has to say about itself once it is open."""

    plain: tuple[str, int] | None
    tls: tuple[str, int] | None
    journal: Path | None
    sessions: int
    commands: int
    open_orders: int
    recovery_s: float
    codec: str


def make_rules(settings: Settings) -> Rules:
    """The rules of the settings, as the journal will have them."""
    return Rules(
        settings.venue.cancel_on_disconnect,
        settings.venue.remembered_orders,
        int(PRECISIONS[settings.session.time_precision]),
        tuple(
            InstrumentRules(
                one.symbol,
                one.currency,
                str(one.tick),
                str(one.lot),
                str(one.min_quantity),
                str(one.max_quantity),
                str(one.collar),
                str(one.min_notional),
                str(one.max_notional),
            )
            for one in settings.instruments
        ),
        tuple(_account_rules(one, settings.venue) for one in settings.accounts),
        str(settings.venue.maker_fee),
        str(settings.venue.taker_fee),
        settings.venue.day_ends,
        settings.venue.funds,
    )


def _account_rules(account: Account, venue: VenueSettings) -> AccountRules:
    maker_fee, taker_fee = account.maker_fee, account.taker_fee
    return AccountRules(
        account.name,
        str(venue.maker_fee if maker_fee is None else maker_fee),
        str(venue.taker_fee if taker_fee is None else taker_fee),
        _SELF_TRADE_MODES[account.self_trade],
        account.trade_group,
        account.max_open_orders,
        account.max_orders_per_s,
        account.protection_fills,
        account.protection_window_ms,
    )


def snapshot_command(layer: JournalSettings) -> list[str]:
    """What makes a snapshot of a running venue, in another process."""
    keep = (layer.resend_days, layer.keep_days, layer.keep_bytes)
    names = ("--resend-days", "--keep-days", "--keep-bytes")
    options = [text for name, value in zip(names, keep, strict=True) for text in (name, str(value))]
    tool = [sys.executable, "-m", "exchange.tools", "journal", "snapshot"]
    return [*tool, "--data", str(layer.directory), "--json", "--beside", *options]


def make_venue(
    rules: Rules,
    journal: Journal,
    turn: Turn,
    control: ControlFile | None = None,
    timetable: Timetable | None = None,
    call_later: CallLater | None = None,
) -> Sequencer:
    """The venue, with every desk of it open; without `timetable` it never closes."""
    sequencer = Sequencer(rules, journal, turn, control)
    reference = ReferenceDesk(sequencer, turn.open, timetable or Timetable(None))
    sequencer.open_desk(reference)
    sequencer.watch(reference)
    later = call_later or asyncio.get_running_loop().call_later
    sequencer.open_desk(MarketDataDesk(sequencer, turn, later))
    sequencer.open_desk(HistoryDesk(sequencer, journal, turn))
    return sequencer


def make_timetable(settings: Settings) -> Timetable:
    """When the venue is open."""
    schedule = settings.schedule
    hours = None
    if schedule.opens:
        opens, closes = parse_moment(schedule.opens), parse_moment(schedule.closes)
        hours = Hours(opens, closes, ZoneInfo(schedule.timezone))
    return Timetable(hours, schedule.resets, schedule.announce_s)


async def serve(
    settings: Settings, dictionary: Dictionary, announce: Callable[[Opened], None]
) -> None:
    """Run the venue until SIGINT or SIGTERM; `announce` is called when it is open.

    Raises UnsafeError, TlsError, ListenError, RulesError and JournalError.
    """
    check_access(settings)
    raise_file_limit()
    tls_files = make_tls_files(settings)
    tls = ServerTls(tls_files) if tls_files is not None else None
    rules = make_rules(settings)

    with contextlib.ExitStack() as stack:
        host = settings.listen.host
        plain = (
            stack.enter_context(bind(host, settings.listen.port)) if settings.listen.plain else None
        )
        secure = stack.enter_context(bind(host, settings.tls.port)) if tls is not None else None
        doors = Doors(plain, (secure, tls) if secure is not None and tls is not None else None)

        def opened(server: Server[Sequencer], journal: Journal, recovery_s: float) -> None:
            announce(
                Opened(
                    _address_of(plain),
                    _address_of(secure),
                    journal.path,
                    len(list(server.registry)),
                    journal.position,
                    server.application.venue.open_orders(),
                    recovery_s,
                    codec.described(),
                )
            )
            where = str(journal.path or "memory")
            figures = {"commands": journal.position, "recovery_s": round(recovery_s, 1)}
            log.info("open", codec=codec.described(), journal=where, **figures)

        layer = settings.journal
        snapshots = SnapshotPlan(snapshot_command(layer), layer.snapshot_bytes)
        journal = Journal(layer.directory, Durability(layer.durability), layer.segment_bytes)

        control = ControlFile(layer.directory)

        timetable = make_timetable(settings)

        def make_application(journal: Journal, turn: Turn) -> Sequencer:
            sequencer = make_venue(rules, journal, turn, control, timetable)
            collect_seldom(sequencer)
            return sequencer

        def make_server() -> Server[Sequencer]:
            return Server(
                journal,
                Validator(dictionary),
                make_admission(settings),
                make_limits(settings),
                make_application,
                access=make_access_rules(settings),
                timetable=timetable,
                plan=MaintenancePlan(layer.directory),
                snapshots=snapshots,
                busy_poll_ns=settings.listen.busy_poll_us * 1_000,
            )

        await _run(make_server, journal, doors, opened)


async def echo(
    port: int,
    dictionary: Dictionary,
    sender_comp_id: str,
    target_comp_id: str,
    reset_on_logon: bool,
    announce: Callable[[int], None],
) -> None:
    """Run the echo application on loopback until SIGINT or SIGTERM; nothing is kept on disk.

    Raises ListenError.
    """
    listener = bind("127.0.0.1", port)
    admission = Admission(
        SessionSettings(
            sender_comp_id.encode("ascii"),
            target_comp_id.encode("ascii"),
            reset_on_logon=reset_on_logon,
        )
    )
    journal = Journal(Path(), Durability.MEMORY)

    def make_server() -> Server[EchoApplication]:
        return Server(
            journal,
            Validator(dictionary),
            admission,
            ConnectionLimits(),
            lambda journal, turn: EchoApplication(dictionary),
        )

    with listener:
        await _run(
            make_server,
            journal,
            Doors(listener),
            lambda server, journal, recovery_s: announce(listener.getsockname()[1]),
        )


async def _run(
    make_server: Callable[[], Server[A]],
    journal: Journal,
    doors: Doors,
    opened: Callable[[Server[A], Journal, float], None],
) -> None:
    started = time.perf_counter()
    try:
        server = make_server()
        await server.start(doors)
    except BaseException:
        journal.close()
        raise
    calm_garbage_collection()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    opened(server, journal, time.perf_counter() - started)
    await server.run("The venue is closing; sequence numbers are kept")
    gc.freeze()  # or the interpreter would look through all that ever happened before it ends


def raise_file_limit() -> None:
    """Take as many open files as we may: connections and segments of the journal are some."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def collect_seldom(sequencer: Sequencer) -> None:
    """Have the garbage of a venue collected at its own times, if its connections leave none.

    asyncio's own loop leaves a cycle of 2 KB for each, which must be found however old it is: there
    the collector runs by itself.
    """
    if not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
        garbage = Garbage(lambda: not sequencer.venue.sessions_up())
        garbage.begin()
        sequencer.watch(garbage)


def calm_garbage_collection() -> None:
    """Keep the collector, where it runs by itself, from walking every remembered order.

    What is there now is left alone for good, young objects are looked at seldom, old ones
    practically never. A venue does better: see `exchange.garbage`.
    """
    if gc.isenabled():
        gc.collect()
        gc.set_threshold(50_000, 1_000, 1_000)
    gc.freeze()


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one, else on asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


def _address_of(listener: socket.socket | None) -> tuple[str, int] | None:
    return listener.getsockname()[:2] if listener is not None else None
