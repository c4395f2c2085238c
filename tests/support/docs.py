"""The parts of the documentation that are printed from code: `make docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from exchange.rulebook import rulebook
from fix_engine.states import table
from tests.support.messages import dictionary
from tests.support.world import World

_DOCS: Final = Path(__file__).parents[2] / "docs"
_MARK: Final = "<!-- From here on this page is printed from the code: make docs -->\n"


def example_conversation() -> str:
    """A short day at the venue as it goes over the wire, "|" for SOH."""
    world = World()
    lines: list[str] = []
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
        ("The end", buyer, "35=5|"),
    ]
    for title, client, request in steps:
        lines.append(f"{title}:")
        before = len(client.raw)
        client.ask(request)
        lines += ["", f"    > {_wire(client.sent[-1])}"]
        lines += [f"    < {_wire(raw)}" for raw in client.raw[before:]]
        lines.append("")
    return "\n".join(lines)


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
    for name, printed in (("sessions.md", table()), ("rules-of-engagement.md", printed_rules())):
        path = _DOCS / name
        path.write_text(with_printed_part(path.read_text(), printed))
        print(f"docs/{name} is up to date")


if __name__ == "__main__":
    main()
