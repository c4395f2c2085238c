"""Market makers in a world: quotes out, and a venue whose accounts are protected."""

from __future__ import annotations

from dataclasses import replace

from config.settings import Settings
from exchange.rules import AccountRules, Rules
from exchange.service import make_rules
from fix_engine.message import Message
from fix_engine.validation import Validator
from fix_engine.wire import Decoder
from tests.support.messages import dictionary
from tests.support.world import Client, World

LOT = 10**8


def guarded_rules(settings: Settings) -> Rules:
    """The rules of the settings, with an account MM: 3 fills within a second."""
    account = AccountRules("MM", protection_fills=3, protection_window_ms=1_000)
    return replace(make_rules(settings), accounts=(account,))


def maker(world: World, comp_id: str, account: str = "MM") -> Client:
    """A client that is logged on for an account, with nothing received yet."""
    client = world.client(comp_id)
    assert client._endpoint is not None
    client._endpoint.profile.account = account
    log_on_again(client)
    return client


def log_on_again(client: Client) -> None:
    """Lose the connection and come back with new numbers."""
    client.drop()
    client.connect()
    client.seq = 1
    client.send("35=A|98=0|108=30|141=Y|")
    client.take()


def entry(
    entry_id: str,
    bid: str,
    offer: str,
    bid_size: str = "1",
    offer_size: str = "1",
    symbol: str = "BTC/USD",
) -> str:
    """One entry of a MassQuote; what is empty is left out."""
    fields = ((132, bid), (133, offer), (134, bid_size), (135, offer_size))
    sides = "".join(f"{tag}={value}|" for tag, value in fields if value)
    return f"299={entry_id}|55={symbol}|{sides}"


def mass_quote(quote_id: str, *entries: str, more: str = "") -> str:
    """A MassQuote with one set."""
    count = len(entries)
    return f"35=i|117={quote_id}|{more}296=1|302=S|304={count}|295={count}|" + "".join(entries)


def quote_cancel(quote_id: str, *symbols: str) -> str:
    """A QuoteCancel of these symbols, or of everything."""
    if not symbols:
        return f"35=Z|117={quote_id}|298=4|"
    named = "".join(f"55={symbol}|" for symbol in symbols)
    return f"35=Z|117={quote_id}|298=1|295={len(symbols)}|{named}"


def check_sent(client: Client) -> None:
    """Everything that the venue has sent is in its dictionary, and no longer than it announces."""
    validator, decoder = Validator(dictionary()), Decoder()
    for raw in client.raw:
        (message,) = decoder.feed(raw)
        assert isinstance(message, Message)
        fault = validator.check(message)
        assert fault is None, f"{fault}: {message}"
        assert len(raw) <= 4_096, message


def told(reports: list[dict[int, str]], *wanted: int) -> list[str]:
    """Some fields of each report, as one string each."""
    return [" ".join(report.get(tag, "-") for tag in wanted) for report in reports]


def makers() -> tuple[World, Client, Client]:
    """A venue, a market maker of account MM, and who trades with it."""
    world = World()
    taker = world.client("TAKER")
    taker.take()
    return world, maker(world, "MAKER"), taker


def last_raw(client: Client) -> str:
    """The last message that a client has received, "|" for SOH."""
    return client.raw[-1].replace(b"\x01", b"|").decode()


def resting(world: World, symbol: str = "BTC/USD") -> list[tuple[int, int, int]]:
    """Side, price in ticks of 0.1 and lots of what rests."""
    numbers = {one.symbol.decode(): one.instrument_id for one in world.venue.state.listing.tradable}
    book = world.venue.state.engine.books[numbers[symbol]]
    return [(order.side, order.price, order.leaves) for order in book.orders()]
