"""From settings to a running door for screens."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Callable
from importlib.metadata import version

import structlog

from config.settings import Settings
from exchange.instruments import Grid
from exchange.screens.gateway import Gateway, Venue
from exchange.screens.hub import Hub
from exchange.screens.market import Market
from exchange.screens.protocol import Offer
from exchange.screens.server import Limits, ScreenServer
from fix_engine import tags
from sessions.acceptor import is_loopback
from sessions.throttle import RateLimit

Announce = Callable[[str, int, Venue], None]


def announce(host: str, port: int, venue: Venue) -> None:
    """Say where it is, to whoever has started it."""
    shown = f"[{host}]" if ":" in host else host
    print(f"Seamark {version('seamark')} shows {venue.target_comp_id} on http://{shown}:{port}/.")
    print(f"  Venue     {venue.host}:{venue.port}, as {venue.comp_id}")
    print(f"  For programs: ws://{shown}:{port}/ws; for operators: http://{shown}:{port}/health")
    print("Next: open the page in a browser. Ctrl-C closes it.", flush=True)


async def screens(settings: Settings, venue: Venue, announce: Announce) -> None:
    """Serve screens until SIGINT or SIGTERM; raises OSError where it cannot listen."""
    layer = settings.screens
    if not is_loopback(layer.host):
        structlog.get_logger().warning("screens: whoever reaches this door may look through it")
    markets = markets_of(settings)
    hub = Hub(markets, layer.max_subscriptions, int(layer.slow_client_s * 1_000))
    gateway = Gateway(venue, hub)
    symbols = tuple(market.symbol for market in markets)
    offer = Offer(symbols, layer.depths, layer.groups, layer.intervals_ms)
    server = ScreenServer(hub, gateway, offer, limits_of(settings), venue.target_comp_id)
    announce(*await server.start(layer.host, layer.port), venue)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    stay = asyncio.create_task(gateway.run())
    stay.add_done_callback(lambda _: stop.set())
    await stop.wait()
    await server.close()
    if stay.done():
        stay.result()  # raises what has ended it
    stay.cancel()
    await asyncio.wait([stay])


def markets_of(settings: Settings) -> list[Market]:
    """The instruments that are shown."""
    wanted = settings.screens.symbols
    return [
        Market(one.symbol, one.currency, Grid(one.tick), Grid(one.lot))
        for one in settings.instruments
        if not wanted or one.symbol in wanted
    ]


def limits_of(settings: Settings) -> Limits:
    """How much there is for everybody."""
    layer = settings.screens
    return Limits(
        layer.max_clients,
        layer.max_clients_by_address,
        layer.max_subscriptions,
        RateLimit(layer.max_messages_per_s, layer.max_messages_at_once),
        layer.max_message_bytes,
        layer.slow_client_s,
        layer.origins,
        layer.behind_proxy,
    )


def venue_of(settings: Settings) -> Venue:
    """Where the venue is, and who we are there; raises OSError for a CA that cannot be read."""
    layer = settings.screens
    port = settings.tls.port if layer.venue_tls else settings.listen.port
    credentials: list[tuple[bytes, bytes]] = []
    password = layer.password.get_secret_value()
    if password:
        username = layer.username or layer.comp_id
        credentials = [(tags.USERNAME, username.encode()), (tags.PASSWORD, password.encode())]
    tls = None
    if layer.venue_tls:
        tls = ssl.create_default_context(cafile=layer.venue_ca or None)
    return Venue(
        layer.venue_host or settings.listen.host,
        layer.venue_port or port,
        settings.session.sender_comp_id,
        layer.comp_id,
        tuple(credentials),
        tls,
        layer.feed_interval_ms,
        layer.heartbeat_s,
        layer.longest_wait_s,
    )
