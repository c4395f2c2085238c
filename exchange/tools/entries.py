"""The messages of a journal, or of a QuickFIX log, as one stream; and which of them are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from exchange.quickfix_log import QuickfixLog
from exchange.tools.moments import Window
from exchange.tools.text import message_of, printable
from fix_engine import tags
from fix_engine.message import Message
from sessions.journal import Batch, Kind

_NOTES: Final = {
    Kind.UP: "logged on",
    Kind.DOWN: "gone",
    Kind.RESET: "both sequences begin again at 1",
    Kind.RULES: "new rules",
    Kind.CONTROL: "the operator has changed something",
}
_REQUESTS: Final = frozenset(
    (
        tags.NEW_ORDER_SINGLE,
        tags.NEW_ORDER_LIST,
        tags.ORDER_CANCEL_REQUEST,
        tags.ORDER_CANCEL_REPLACE_REQUEST,
        tags.ORDER_STATUS_REQUEST,
    )
)
_NO_ORDER: Final = (b"NONE", b"")
_KEEP_ALIVE: Final = (tags.HEARTBEAT, tags.TEST_REQUEST)
_REJECT_REF_ID: Final = b"379"  # of BusinessMessageReject: the ClOrdID that it is about
_NAMES: Final = (tags.CL_ORD_ID, tags.ORIG_CL_ORD_ID, _REJECT_REF_ID)


@dataclass(slots=True)
class Entry:
    """A message, or with `note` something that happened to a session; `position` 0: unknown."""

    stamp: int
    position: int
    session: str
    is_request: bool
    raw: bytes
    note: str = ""
    _message: Message | str | None = field(default=None, repr=False)

    @property
    def message(self) -> Message | str:
        """The message, or why it is none."""
        if self._message is None:
            self._message = message_of(self.raw)
        return self._message


#: Entries that happened together: of one batch.
Entries = list[Entry]


def of_batches(
    batches: Iterable[Batch | None], name_of: Callable[[int], str]
) -> Iterator[Entries | None]:
    """The entries of each batch; None, which says that there are no more yet, goes through.

    `name_of` tells the CompID of a session.
    """
    for batch in batches:
        if batch is None:
            yield None
            continue
        entries: Entries = []
        for record in batch.records:
            is_message = record.kind in (Kind.COMMAND, Kind.SENT)
            if not is_message and record.kind not in _NOTES:
                continue
            name = name_of(record.session)
            raw = record.payload if is_message else b""
            note = _NOTES.get(record.kind, "")
            is_request = record.kind is Kind.COMMAND
            entries.append(Entry(batch.stamp, record.position, name, is_request, raw, note))
        if entries:
            yield entries


def of_quickfix(log: QuickfixLog) -> Iterator[Entries]:
    """The messages of a client's log; those of its session, as the venue would see them."""
    for logged in log:
        incoming = logged.is_incoming
        if incoming is None:
            found = message_of(logged.raw)
            incoming = not (isinstance(found, Message) and found.msg_type in _REQUESTS)
        name = printable(logged.target if incoming else logged.sender)
        yield [Entry(logged.time_ns, 0, name, not incoming, logged.raw)]


@dataclass(slots=True)
class OrderLife:
    """Finds all messages of an order by its OrderID or by any ClOrdID that it ever had.

    The messages are given to `learn` twice before `has` is asked: a ClOrdID may come late.
    """

    wanted: bytes
    orders: set[bytes] = field(default_factory=set)
    _names: set[tuple[str, bytes]] = field(default_factory=set)

    def learn(self, entry: Entry) -> None:
        """Take in what a report says about who is called what."""
        if entry.is_request or not self._may_concern(entry.raw):
            return
        message = entry.message
        if isinstance(message, str):
            return
        order_id = message.get(tags.ORDER_ID)
        if order_id is None or order_id in _NO_ORDER:
            return
        names = [name for tag in _NAMES if (name := message.get(tag)) is not None]
        if order_id == self.wanted or self.wanted in names:
            self.orders.add(order_id)
        if order_id in self.orders:
            self._names.update((entry.session, name) for name in names)

    def has(self, entry: Entry) -> bool:
        """Whether an entry belongs to the order."""
        message = entry.message
        if isinstance(message, str):
            return False
        if message.get(tags.ORDER_ID) in self.orders:
            return True
        names = [name for tag, name in message.pairs() if tag in _NAMES]  # a list has many
        return self.wanted in names or any((entry.session, name) in self._names for name in names)

    def _may_concern(self, raw: bytes) -> bool:
        """A quick look, before the message is taken apart."""
        if b"=%b\x01" % self.wanted in raw:
            return True
        return any(b"\x0137=%b\x01" % order_id in raw for order_id in self.orders)


@dataclass(slots=True)
class EntryFilter:
    """Which entries are wanted; empty means all, but then without those that only keep alive."""

    window: Window = field(default_factory=Window)
    sessions: frozenset[str] = frozenset()
    types: frozenset[bytes] = frozenset()
    cl_ord_id: bytes | None = None
    account: bytes | None = None
    symbol: bytes | None = None
    life: OrderLife | None = None

    def wants(self, entry: Entry) -> bool:
        """Whether this one is."""
        if self.sessions and entry.session not in self.sessions:
            return False
        if not self.window.has(entry.stamp, entry.position):
            return False
        if entry.note:
            return not (self.types or self._looks_into_messages())
        message = entry.message
        if isinstance(message, str):
            return not (self.types or self._looks_into_messages())
        if self.types and message.msg_type not in self.types:
            return False
        if not self.types and message.msg_type in _KEEP_ALIVE:
            return False
        return self._fits(entry, message)

    def _looks_into_messages(self) -> bool:
        return any(
            one is not None for one in (self.cl_ord_id, self.account, self.symbol, self.life)
        )

    def _fits(self, entry: Entry, message: Message) -> bool:
        if self.cl_ord_id is not None and not any(
            message.get(tag) == self.cl_ord_id for tag in _NAMES
        ):
            return False
        if self.account is not None and message.get(tags.ACCOUNT) != self.account:
            return False
        if self.symbol is not None and message.get(tags.SYMBOL) != self.symbol:
            return False
        return self.life is None or self.life.has(entry)


def wanted(
    source: Callable[[], Iterable[Entries | None]],
    last: Callable[[], Iterable[Entries | None]],
    chosen: EntryFilter,
) -> Iterator[Entry | None]:
    """The entries that a filter wants, and None whenever there are no more yet.

    `source` begins anew with each call, `last` is the one that is shown and may go on for ever.
    """
    life = chosen.life
    if life is not None:
        for _ in range(2):
            for entries in source():
                for entry in entries or ():
                    life.learn(entry)
    for entries in last():
        if entries is None:
            yield None
            continue
        if life is not None:
            for entry in entries:
                life.learn(entry)
        if chosen.window.is_over(entries[0].stamp, entries[0].position):
            return
        for entry in entries:
            if chosen.wants(entry):
                yield entry
