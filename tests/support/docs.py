"""The parts of the documentation that are printed from code: `make docs`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final
from zlib import crc32

from config.settings import Settings
from exchange.commands import SetMarket
from exchange.market_data.messages import BID, OFFER
from exchange.market_data.reader import Level, SymbolView
from exchange.rulebook import rulebook
from exchange.rules import InstrumentRules
from exchange.service import make_rules
from exchange.venue.state import MarketState
from fix_engine.states import table
from fix_engine.timestamps import SECOND_NS
from sessions.timetable import Closure
from tests.exchange.copies.watching import venue
from tests.support.messages import dictionary
from tests.support.world import START_NS, Client, World

_DOCS: Final = Path(__file__).parents[2] / "docs"
_MARK: Final = "<!-- From here on this page is printed from the code: make docs -->\n"


def example_conversation() -> str:
    """A short day at the venue as it goes over the wire, "|" for SOH."""
    world = World()
    buyer = world.client("BUYER", "108=30|8013=Y|")
    seller = world.client("SELLER")
    seller.order("s1", "sell", "2", "65000.1")
    steps = [
        (
            "A limit order that trades at once",
            buyer,
            "35=D|11=b1|55=BTC/USD|54=1|60=<now>|38=0.5|40=2|44=65001|59=1|",
        ),
        (
            "A price off the tick",
            buyer,
            "35=D|11=b2|55=BTC/USD|54=1|60=<now>|38=1|40=2|44=64000.05|59=1|",
        ),
        ("A limit order without a price", buyer, "35=D|11=b3|55=BTC/USD|54=1|60=<now>|38=1|40=2|"),
        ("A required tag that is missing", buyer, "35=D|55=BTC/USD|54=1|60=<now>|38=1|40=1|"),
        (
            "A smaller quantity",
            seller,
            "35=G|11=s2|41=s1|55=BTC/USD|54=2|60=<now>|38=1.5|40=2|44=65000.1|",
        ),
        ("A cancel", seller, "35=F|11=s3|41=s2|55=BTC/USD|54=2|60=<now>|"),
        ("A cancel that comes too late", seller, "35=F|11=s4|41=s3|55=BTC/USD|54=2|60=<now>|"),
        ("A question", seller, "35=H|11=s3|790=q1|55=BTC/USD|54=2|"),
        (
            "Market data, incremental: the best two prices of each side",
            buyer,
            "35=V|262=md|263=1|264=2|265=1|267=2|269=0|269=1|146=1|55=BTC/USD|",
        ),
        (
            "An order, its report, and what it has changed in the book",
            buyer,
            "35=D|11=b4|55=BTC/USD|54=1|60=<now>|38=0.5|40=2|44=64000|59=1|",
        ),
        (
            "Market data that there is not",
            buyer,
            "35=V|262=no|263=0|264=0|267=1|269=6|146=1|55=BTC/USD|",
        ),
        ("The end", buyer, "35=5|"),
    ]
    return "\n".join(_lines(steps))


def reference_conversation() -> str:
    """Questions about instruments, and what is told of changes, as they go over the wire."""
    instruments = (
        InstrumentRules(
            *("BTC/USD", "USD", "0.1", "0.00000001", "0.0001", "10000"),
            *("0.05", "10", "5000000"),
        ),
        InstrumentRules("ETH/BTC", "BTC", "0.00001", "0.0001", "0.001", "100000"),
    )
    rules = make_rules(Settings())
    world = World(rules=replace(rules, instruments=instruments, taker_fee="0.001"))
    client = world.client("ASKER")

    def halt() -> None:
        world.sequencer._do(SetMarket(b"BTC/USD", MarketState.HALTED, b"news is pending"))
        world.turn()

    def plan() -> None:
        starts = START_NS + 3600 * SECOND_NS
        world.timetable.planned = Closure(starts, starts + 600 * SECOND_NS, "a new release")
        world.pass_time(2)

    lines = _lines(
        [
            ("All instruments, and what changes", client, "35=x|320=all|559=4|263=1|"),
            ("One instrument", client, "35=c|320=btc|321=0|55=BTC/USD|"),
            ("One that is not there", client, "35=c|320=nope|321=0|55=NO/PE|"),
            ("What a market takes", client, "35=e|324=s1|55=BTC/USD|263=1|"),
            ("The venue as a whole", client, "35=g|335=hours|263=1|"),
            ("An ID that is in use", client, "35=g|335=hours|263=1|"),
        ]
    )
    for title, change in (("The operator halts BTC/USD", halt), ("Maintenance is planned", plan)):
        before = len(client.raw)
        change()
        lines += [f"{title}:", "", *(f"    < {_wire(raw)}" for raw in client.raw[before:]), ""]
    end = ("The end of a subscription", client, "35=x|320=all|559=4|263=2|")
    return "\n".join([*lines, *_lines([end])])


def _lines(steps: list[tuple[str, Client, str]]) -> list[str]:
    """Each step with its title, the request and what it is answered."""
    lines: list[str] = []
    for title, client, request in steps:
        lines += _step(title, client, client, request)
    return lines


def drop_copies() -> str:
    """What a session that watches two funds sees and asks, as it goes over the wire."""
    world = venue()
    risk = world.client("RISK")
    a, b = world.client("A1"), world.client("B1")
    lines: list[str] = []

    def show(title: str, before: int) -> None:
        lines.extend((f"{title}:", ""))
        lines.extend(f"    < {_wire(raw)}" for raw in risk.raw[before:])
        lines.append("")

    def ask(title: str, request: str) -> None:
        before = len(risk.raw)
        risk.ask(request)
        show(title, before)
        lines.insert(-1 - len(risk.raw[before:]), f"    > {_wire(risk.sent[-1])}")

    before = len(risk.raw)
    a.order("a1", "buy", "2", "65000", "1=BOOK7|59=1|")
    world.now += 10**9
    b.order("b1", "sell", "0.5", "65000")
    show("B1 sells to A1, which gave an Account of its own", before)
    ask("Everything behind an ExecID, once more", "35=AD|568=r1|569=0|8060=5-1|")
    ask("The trades of a day", "35=AD|568=r2|569=0|55=BTC/USD|580=1|75=20270115|")
    ask("Of an account, and those to come", "35=AD|568=r3|569=0|1=FUND-B|263=1|")
    before = len(risk.raw)
    world.now += 10**9
    b.order("b2", "sell", "0.5", "65000", "59=3|")
    show("One that came", before)
    ask("No more of them", "35=AD|568=r3|569=0|263=2|")
    ask("A Symbol that there is not", "35=AD|568=r4|569=0|55=DOGE/USD|")
    return "\n".join(lines)


def market_data_conversation() -> str:
    """Market data as it goes over the wire; what a maker does is said in the titles alone."""
    world = World()
    reader, maker = world.client("READER"), world.client("MAKER")
    maker.order("m1", "sell", "2", "150.00", symbol="SOL/USD")
    of = "146=1|55=SOL/USD|"
    order = "|55=SOL/USD|54={}|60=<now>|38={}|40=2|44={}|59=1|"
    everything = "267=7|269=0|269=1|269=2|269=4|269=7|269=8|269=B|"
    steps = [
        (
            "All there is now, once; a maker offers 2 at 150.00",
            reader,
            f"35=V|262=once|263=0|264=0|{everything}{of}",
        ),
        (
            "Five levels, trades and statistics, incremental, with a checksum",
            reader,
            f"35=V|262=md|263=1|264=5|265=1|{everything}{of}8028=Y|",
        ),
        ("The maker offers 1 at 151.25", maker, f"35=D|11=m2{order.format(2, 1, '151.25')}"),
        ("The maker bids 3.5 for 149.75", maker, f"35=D|11=m3{order.format(1, '3.5', '149.75')}"),
        (
            "The reader buys: its reports first, then the market data of the same engine sequence",
            reader,
            f"35=D|11=r1{order.format(1, '2.5', '151.25')}",
        ),
        (
            "Entries 2 and 3 once more",
            reader,
            "35=V|262=md|263=1|264=5|8024=2|8025=3|",
        ),
        (
            "A fresh snapshot within the subscription: the same request again",
            reader,
            f"35=V|262=md|263=1|264=5|265=1|{everything}{of}8028=Y|",
        ),
        ("No more of it, which has no answer", reader, "35=V|262=md|263=2|264=5|"),
        (
            "Order by order; 278 is the OrderID",
            reader,
            f"35=V|262=l3|263=1|264=0|265=1|266=N|267=2|269=0|269=1|{of}",
        ),
        ("The maker cancels its bid", maker, "35=F|11=m4|41=m3|55=SOL/USD|54=1|60=<now>|"),
        (
            "The best prices, in full at each change",
            reader,
            f"35=V|262=top|263=1|264=1|265=0|267=2|269=0|269=1|{of}",
        ),
        (
            "The maker bids 1 for 149",
            maker,
            f"35=D|11=m5{order.format(1, 1, 149)}",
        ),
        (
            "An instrument that there is not",
            reader,
            "35=V|262=no|263=1|264=1|265=1|267=1|269=0|146=1|55=DOGE|",
        ),
    ]
    lines: list[str] = []
    for title, client, request in steps:
        lines += _step(title, reader, client, request)
    return "\n".join(lines)


def printed_checksum() -> str:
    """BookChecksum (8029), step by step."""
    view = SymbolView(b"SOL/USD")
    sides = {
        BID: ((b"149.75", b"3.5"), (b"149.5", b"10")),
        OFFER: ((b"150", b"2"), (b"151.25", b"1")),
    }
    for kind, levels in sides.items():
        for price, size in levels:
            view.levels[kind][Decimal(price.decode())] = Level(price, size, b"1")
    words = b" ".join(word for levels in sides.values() for level in levels for word in level)
    assert view.own_checksum() == crc32(words)
    return (
        "Bids 3.5 for 149.75 and 10 for 149.5, offers 2 at 150 and 1 at 151.25, are the "
        f"{len(words)} bytes\n\n    {words.decode()}\n\n"
        f"whose CRC-32 is {crc32(words):#010x}: `8029={crc32(words)}`. "
        "Of an empty book there are no bytes: `8029=0`.\n"
    )


def printed_market_data() -> str:
    """The second half of the page on market data."""
    return f"### A checksum\n\n{printed_checksum()}\n### Messages\n\n{market_data_conversation()}"


def _step(title: str, shown: Client, client: Client, request: str) -> list[str]:
    """A request, if it is of the client that is shown, and all that this one hears."""
    before = len(shown.raw)
    client.ask(request)
    sent = [f"    > {_wire(client.sent[-1])}"] if client is shown else []
    return [f"{title}:", "", *sent, *(f"    < {_wire(raw)}" for raw in shown.raw[before:]), ""]


def _wire(raw: bytes) -> str:
    return raw.replace(b"\x01", b"|").decode("latin-1")


def printed_rules() -> str:
    """The second half of the rules of engagement."""
    return f"{example_conversation()}\n{rulebook(dictionary())}"


def with_printed_part(page: str, printed: str) -> str:
    """A page with what follows its mark replaced."""
    assert page.count(_MARK) == 1
    return page[: page.index(_MARK)] + _MARK + "\n" + printed.rstrip() + "\n"


def main() -> None:
    """Print every page again."""
    for name, printed in (
        ("sessions.md", table()),
        ("rules-of-engagement.md", printed_rules()),
        ("reference-data.md", reference_conversation()),
        ("drop-copy.md", drop_copies()),
        ("market-data.md", printed_market_data()),
    ):
        path = _DOCS / name
        path.write_text(with_printed_part(path.read_text(), printed))
        print(f"docs/{name} is up to date")


if __name__ == "__main__":
    main()
