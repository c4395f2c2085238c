"""Composition: settings to a running venue, or to the echo application."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from config.settings import Settings
from exchange.instruments import Instrument, make_instrument
from exchange.reports import ReportEncoder
from exchange.requests import RequestParser
from exchange.sequencer import Sequencer
from exchange.venue import Venue
from fix_engine import tags
from fix_engine.dictionary import Dictionary
from fix_engine.logon import SessionSettings
from fix_engine.timestamps import SECOND_NS, Precision
from fix_engine.validation import Validator
from sessions.acceptor import bind, is_loopback
from sessions.application import Application
from sessions.connection import ConnectionLimits
from sessions.echo import EchoApplication
from sessions.journal import Durability, Journal
from sessions.registry import Admission
from sessions.server import Server
from sessions.throttle import RateLimit
from sessions.turn import Turn

A = TypeVar("A", bound=Application)

_PRECISIONS = {
    "ms": Precision.MILLISECONDS,
    "us": Precision.MICROSECONDS,
    "ns": Precision.NANOSECONDS,
}


class UnsafeError(Exception):
    """The settings would open the venue to people who should not get in."""


@dataclass(slots=True)
class Opened:
    """What a venue has to say about itself once it is open."""

    host: str
    port: int
    journal: Path | None
    sessions: int
    commands: int
    open_orders: int
    recovery_s: float


def check_access(settings: Settings) -> None:
    """Raise UnsafeError when the access policy does not fit the address."""
    host = settings.listen.host
    if settings.access.policy == "open-demo" and not is_loopback(host):
        raise UnsafeError(
            f"listen.host {host} can be reached from other machines, and access.policy open-demo "
            f"lets anybody log on; listen on 127.0.0.1"
        )


def make_instruments(settings: Settings) -> list[Instrument]:
    """The instruments of the settings, numbered in their order."""
    return [
        make_instrument(
            number,
            instrument.symbol,
            instrument.tick,
            instrument.lot,
            instrument.min_quantity,
            instrument.max_quantity,
        )
        for number, instrument in enumerate(settings.instruments)
    ]


async def serve(
    settings: Settings, dictionary: Dictionary, announce: Callable[[Opened], None]
) -> None:
    """Run the venue until SIGINT or SIGTERM; `announce` is called when it is open.

    Raises UnsafeError, ListenError and JournalError.
    """
    check_access(settings)
    listener = bind(settings.listen.host, settings.listen.port)
    layer = settings.session
    precision = _PRECISIONS[layer.time_precision]
    instruments = make_instruments(settings)

    def make_application(journal: Journal, turn: Turn) -> Sequencer:
        rules = settings.venue
        venue = Venue(len(instruments), rules.cancel_on_disconnect, rules.remembered_orders)
        return Sequencer(venue, RequestParser(instruments), ReportEncoder(precision), journal, turn)

    def opened(server: Server[Sequencer], journal: Journal, recovery_s: float) -> None:
        host, port = listener.getsockname()[:2]
        announce(
            Opened(
                host,
                port,
                journal.path,
                len(list(server.registry)),
                journal.position,
                server.application.venue.open_orders(),
                recovery_s,
            )
        )

    admission = Admission(
        SessionSettings(
            layer.sender_comp_id.encode("ascii"),
            b"",
            precision=precision,
            max_latency_ns=_ns(layer.max_latency_s),
            logon_timeout_ns=_ns(layer.logon_timeout_s),
            logout_timeout_ns=_ns(layer.logout_timeout_s),
            min_heartbeat_s=layer.min_heartbeat_s,
            max_heartbeat_s=layer.max_heartbeat_s,
            reset_on_logon=layer.reset_on_logon,
            is_test=layer.is_test,
            max_message_bytes=layer.max_message_bytes,
            uses_next_expected=layer.next_expected_msg_seq_num,
            adds_last_processed=layer.last_msg_seq_num_processed,
            max_resend_repeats=layer.max_resend_repeats,
            echoed_logon_tags=(tags.CANCEL_ON_DISCONNECT,),
        ),
        layer.max_sessions,
        RateLimit(layer.max_messages_per_s, layer.max_messages_at_once),
        layer.second_logon == "replace",
    )
    limits = ConnectionLimits(
        max_message_bytes=layer.max_message_bytes,
        logon_timeout_s=layer.logon_timeout_s,
        max_logon_bytes=layer.max_logon_bytes,
        max_unread_bytes=layer.max_unread_bytes,
        max_connections=layer.max_connections,
        max_strangers=layer.max_strangers,
        max_strangers_by_address=layer.max_strangers_by_address,
    )
    with listener:
        journal = Journal(settings.journal.directory, Durability(settings.journal.durability))
        await _run(journal, dictionary, admission, limits, make_application, listener, opened)


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
    with listener:
        await _run(
            Journal(Path(), Durability.MEMORY),
            dictionary,
            admission,
            ConnectionLimits(),
            lambda journal, turn: EchoApplication(dictionary),
            listener,
            lambda server, journal, recovery_s: announce(listener.getsockname()[1]),
        )


async def _run(
    journal: Journal,
    dictionary: Dictionary,
    admission: Admission,
    limits: ConnectionLimits,
    make_application: Callable[[Journal, Turn], A],
    listener: socket.socket,
    opened: Callable[[Server[A], Journal, float], None],
) -> None:
    server = Server(journal, Validator(dictionary), admission, limits, make_application)
    started = time.perf_counter()
    try:
        await server.start(listener)
    except BaseException:
        journal.close()
        raise
    calm_garbage_collection()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    opened(server, journal, time.perf_counter() - started)
    await server.run("The venue is closing; sequence numbers are kept")


def calm_garbage_collection() -> None:
    """Keep the collector from walking every remembered order, which takes it a tenth of a second.

    Orders, messages and events form no cycles: reference counts free them. What is there now is
    left alone for good, young objects are looked at seldom, old ones practically never.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 1_000, 1_000)


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one, else on asyncio's own loop."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


def _ns(seconds: float) -> int:
    return round(seconds * SECOND_NS)
