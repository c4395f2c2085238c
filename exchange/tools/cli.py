"""`seamark log` and `seamark book`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from exchange.quickfix_log import QuickfixLog
from exchange.rerun import Rerun
from exchange.tools import book
from exchange.tools.entries import (
    Entries,
    Entry,
    EntryFilter,
    OrderLife,
    of_batches,
    of_quickfix,
    wanted,
)
from exchange.tools.logview import LATENCY_MEANS, Latencies, LogView
from exchange.tools.moments import parse_moment
from exchange.tools.reading import JournalReader
from exchange.tools.terminal import (
    ConfigFile,
    Data,
    DictionaryFile,
    From,
    Json,
    Meter,
    To,
    ToolError,
    console,
    dictionary,
    json_line,
    one_line,
    opened,
    settings_rules,
    window,
)
from exchange.tools.text import iso_time, printable, shown_time

_DEPTH = 20


def log_command(
    data: Data = None,
    config: ConfigFile = None,
    session: Annotated[list[str] | None, typer.Option(help="CompID; may be repeated.")] = None,
    order: Annotated[
        str | None, typer.Option(help="The whole life of an order: OrderID or any of its ClOrdIDs.")
    ] = None,
    clordid: Annotated[str | None, typer.Option(help="ClOrdID, or OrigClOrdID.")] = None,
    account: Annotated[str | None, typer.Option(help="Account (1).")] = None,
    symbol: Annotated[str | None, typer.Option(help="Symbol (55).")] = None,
    msg_type: Annotated[
        list[str] | None, typer.Option("--type", help="8 or ExecutionReport; may be repeated.")
    ] = None,
    begin: From = None,
    end: To = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on, live.")] = False,
    latency: Annotated[
        bool, typer.Option("--latency", help="How long each request took to reach the venue.")
    ] = False,
    from_quickfix: Annotated[
        Path | None, typer.Option(help="A message log of QuickFIX instead of a journal.")
    ] = None,
    dictionary_file: DictionaryFile = None,
    as_json: Json = False,
) -> None:
    """Show messages with names instead of numbers: > to the venue, < from it.

    Heartbeats and TestRequests are left out unless --type asks for them. Of what clients send, a
    journal has the application messages that were accepted for execution.
    """
    with one_line():
        view = LogView(dictionary(dictionary_file))
        types = view.type_codes(msg_type or ())
        if isinstance(types, str):
            raise ToolError(f"--type {types}: the dictionary has no such message")
        chosen = EntryFilter(
            sessions=frozenset(session or ()),
            types=types,
            cl_ord_id=_bytes(clordid),
            account=_bytes(account),
            symbol=_bytes(symbol),
            life=OrderLife(order.encode()) if order is not None else None,
        )
        printer = _Printer(view, as_json, Latencies() if latency else None)
        if from_quickfix is not None:
            log = QuickfixLog(from_quickfix)
            chosen.window = window(None, begin, end)
            printer.show(wanted(lambda: of_quickfix(log), lambda: of_quickfix(log), chosen))
        else:
            with opened(config, data) as reader:
                chosen.window = window(reader, begin, end)
                printer.show(_of_journal(reader, chosen, follow))
        if order is not None and not printer.shown:
            raise ToolError(f"no order is known by {order}")


class _Printer:
    """Prints entries; `shown` counts them."""

    def __init__(self, view: LogView, as_json: bool, latencies: Latencies | None) -> None:
        self.shown = 0
        self._view = view
        self._as_json = as_json
        self._latencies = latencies
        self._console = console()

    def show(self, entries: Iterable[Entry | None]) -> None:
        """Every entry; what is shown is flushed whenever there is no more yet."""
        try:
            for entry in entries:
                if entry is None:
                    self._console.file.flush()
                else:
                    self._show(entry)
        except KeyboardInterrupt:
            pass  # how following ends
        if self._latencies is None or self._as_json:
            return
        summary = self._latencies.summary()
        if summary:
            figures = "  ".join(f"{name} {value:,.3f}" for name, value in list(summary.items())[1:])
            self._console.print(f"\n{summary['requests']:,.0f} requests, ms: {figures}")
            self._console.print(LATENCY_MEANS)

    def _show(self, entry: Entry) -> None:
        latency_ns = None
        if self._latencies is not None:
            latency_ns = self._latencies.of(entry)
            if latency_ns is None:
                return
        self.shown += 1
        if self._as_json:
            print(json_line(self._view.as_json(entry, latency_ns)))
        elif self._console.is_terminal:
            self._console.print(self._view.line(entry, latency_ns))
        else:
            print(self._view.line(entry, latency_ns).plain)


def _of_journal(reader: JournalReader, chosen: EntryFilter, follow: bool) -> Iterable[Entry | None]:
    def every() -> Iterable[Entries | None]:
        with JournalReader(reader.directory) as other, Meter(other, "Looking") as meter:
            yield from of_batches(meter.over(other.batches()), other.name)

    def shown() -> Iterable[Entries | None]:
        return of_batches(reader.follow() if follow else reader.batches(), reader.name)

    return wanted(every, shown, chosen)


def book_command(
    symbol: Annotated[str, typer.Argument(help="Symbol (55) of the instrument.")],
    at: Annotated[
        str | None,
        typer.Option(help="Time (16:31:58.123, of the journal's last day; ISO) or position."),
    ] = None,
    orders: Annotated[bool, typer.Option("--orders", help="Every order, with its owner.")] = False,
    depth: Annotated[int, typer.Option(help="Lines of each side; 0: all.", min=0)] = _DEPTH,
    data: Data = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show the book of an instrument as it stood at a moment; by default at the end."""
    with one_line(), opened(config, data) as reader:
        moment = parse_moment(at, reader.last_stamp) if at is not None else None
        rerun = Rerun(settings_rules(config))
        oldest = reader.skip_lost_beginning()
        if oldest is not None:
            rerun.resume(oldest)
            if moment is not None and moment.ends_before(reader.position, oldest.stamp):
                raise ToolError(
                    f"--at {at}: the journal does not go back so far; books can be seen from "
                    f"position {reader.position}, {iso_time(oldest.stamp)}, on"
                )
        with Meter(reader, "Reading") as meter:
            reached = book.play_until(rerun, meter.over(reader.batches()), moment)
        if (
            moment is not None
            and moment.position is not None
            and moment.position > reached.position
        ):
            raise ToolError(f"--at {at}: the journal ends at position {reached.position}")
        found = book.find_book(rerun.venue, symbol.encode())
        if found is None:
            listing = rerun.venue.state.listing
            names = [printable(listing[number].symbol) for number in range(len(listing))]
            known = f"there were {', '.join(dict.fromkeys(names))}" if names else "nothing was"
            raise ToolError(f"{symbol} was not traded then; {known}")
        instrument, both = found
        sides = []
        for side in (both.buys, both.sells):
            lines = book.orders(side, instrument, rerun.peers)
            sides.append(list(lines if orders else book.levels(side, instrument)))
        if as_json:
            print(json_line(book.book_json(symbol, reached, sides[0], sides[1], orders)))
        else:
            _show_book(symbol, reached, sides, orders, depth)


def _show_book(
    symbol: str, reached: book.Moments, sides: list[list[book.Line]], orders: bool, depth: int
) -> None:
    out = console()
    when = f"{shown_time(reached.stamp)} UTC" if reached.position else "the beginning"
    out.print(f"{symbol} after position {reached.position:,}, {when}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    left = ("owner", "ClOrdID", "OrderID", "quantity", "bid") if orders else ("orders", "", "bid")
    right = ("ask", "quantity", "OrderID", "ClOrdID", "owner") if orders else ("ask", "", "orders")
    for name in left:
        table.add_column(name or "quantity", justify="right", overflow="fold")
    table.add_column(" ")
    for name in right:
        table.add_column(name or "quantity", overflow="fold")
    bids, asks = (side[: depth or None] for side in sides)
    blank = [""] * len(left)
    for bid, ask in zip_longest(bids, asks):
        one = _cells(bid, orders, "green") if bid else blank
        other = _cells(ask, orders, "red")[::-1] if ask else blank
        table.add_row(*one, "", *other)
    out.print(table, soft_wrap=False)
    more = [f"{len(side) - depth:,}" for side in sides if depth and len(side) > depth]
    if more:
        out.print(f"and {' and '.join(more)} lines more; --depth 0 shows all")
    if not sides[0] and not sides[1]:
        out.print("nothing rests in it")


def _cells(line: book.Line, orders: bool, style: str) -> list[Text]:
    price = Text(line.price, style=style)
    if not orders:
        return [Text(f"{line.orders:,}"), Text(line.quantity), price]
    names = (line.owner, line.cl_ord_id, line.order_id, line.quantity)
    return [*(Text(name) for name in names), price]


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
