"""Entries and messages of market data, as encoded fields.

An entry is encoded once, without what differs between a full and an incremental refresh. Messages
are cut where they would be longer than what every peer has promised to take; all but the last
fragment then say LastFragment (893) N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exchange.fragments import fragments_of
from fix_engine.logon import OUR_LARGEST_MESSAGE
from fix_engine.outbound import SharedFields

MAX_REQUEST_ID_BYTES: Final = 64  # of MDReqID (262), which every message repeats
# What is left of a message without its header: both CompIDs may be long, and MDReqID is.
_MAX_ENTRIES_BYTES: Final = OUR_LARGEST_MESSAGE - 4 * 64 - 256

BID: Final = b"0"
OFFER: Final = b"1"
TRADE: Final = b"2"
OPEN: Final = b"4"
HIGH: Final = b"7"
LOW: Final = b"8"
VOLUME: Final = b"B"

NEW: Final = b"0"
CHANGE: Final = b"1"
DELETE: Final = b"2"


@dataclass(slots=True)
class Entry:
    """One entry: `head` are type and name (269, 278), `rest` all from the price on.

    Where `position` is not 0, it is that of the input that has brought it about.
    """

    action: bytes
    head: bytes
    rest: bytes
    position: int = 0


def full_entry(entry: Entry) -> bytes:
    """As it stands in a MarketDataSnapshotFullRefresh."""
    return entry.head + entry.rest


def incremental_entry(entry: Entry, symbol: bytes, rpt_seq: int, position: int) -> bytes:
    """As it stands in a MarketDataIncrementalRefresh; `position` where it has none of its own."""
    return b"279=%b\x01%b55=%b\x01%b83=%d\x018023=%d\x01" % (
        entry.action,
        entry.head,
        symbol,
        entry.rest,
        rpt_seq,
        entry.position or position,
    )


def fragments(head: bytes, entries: Sequence[bytes]) -> list[SharedFields]:
    """One message with all the entries, or as many as it takes; `head` are its first fields."""
    pages = list(fragments_of(entries, room_behind(head)))
    if len(pages) == 1:
        return [whole(head, pages[0])]
    return [
        fragment(head, page, is_last=number == len(pages)) for number, page in enumerate(pages, 1)
    ]


def room_behind(head: bytes) -> int:
    """How many bytes of entries one message takes."""
    return _MAX_ENTRIES_BYTES - len(head)


def whole(head: bytes, entries: Sequence[bytes]) -> SharedFields:
    """The only message of a refresh."""
    return SharedFields.of(b"%b268=%d\x01%b" % (head, len(entries), b"".join(entries)))


def fragment(head: bytes, entries: Sequence[bytes], is_last: bool) -> SharedFields:
    """One of several messages."""
    mark = b"Y" if is_last else b"N"
    fields = b"%b893=%b\x01268=%d\x01%b" % (head, mark, len(entries), b"".join(entries))
    return SharedFields.of(fields)
