"""Answers compared with recorded ones by meaning.

What belongs together. An answer belongs to an order, which is a session and a chain of ClOrdIDs:
a request with OrigClOrdID (41) continues the chain of that one. Within an order answers are
compared in their order; between orders, and between sessions, order does not matter. So the fill of
a resting order, which nobody of this session asked for, is compared with the other reports of that
order, whenever it comes. A Reject and a BusinessMessageReject belong to the order, or the request,
whose MsgSeqNum they refer to; an answer without ClOrdID to the other identifier of its request,
such as MDReqID (262); whatever has none is compared in its order within its MsgType.

Where one side has more than the other, answers are paired so that least differs in all, and the
rest is missing or extra.

What is the same. Numbers are equal as decimals, sets of values in any order. CompIDs, sequence
numbers and the times of the moment are not compared. Identifiers that the venue makes must be there
but are its own; an OrderID (37) must stay the same where it stayed the same before. ClOrdIDs made
fresh for the replay count as the recorded ones, in Text (58) too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Final

from exchange.recording import REF_SEQ_NUM, REJECTS
from fix_engine import tags
from fix_engine.dictionary import Dictionary
from fix_engine.message import Message

#: Whether and how a message came, not what it says.
_NOT_COMPARED: Final = frozenset((b"34", b"43", b"49", b"52", b"56", b"97", b"122", b"369"))
#: Times of the moment, and times that a replay moves to its own day.
_TIMES: Final = frozenset((b"42", b"60", b"62", b"126", b"168", b"272", b"273"))
#: Made by the venue: ExecID, ExecRefID, OrderID, SecondaryOrderID, SecurityResponseID, ...
_VENUE_IDS: Final = frozenset(b"17 19 37 198 322 527 571 818 880".split())
_ONLY_PRESENCE: Final = _TIMES | _VENUE_IDS | {REF_SEQ_NUM}
#: What names a request that is no order: MDReqID, SecurityReqID, QuoteReqID, and so on.
_REQUEST_IDS: Final = tuple(b"262 320 131 117 324 335 568 584 710 923".split())
_NO_ORDER: Final = (b"NONE", b"")
_NUMBERS: Final = frozenset(
    [
        "INT",
        "FLOAT",
        "PRICE",
        "QTY",
        "AMT",
        "PRICEOFFSET",
        "PERCENTAGE",
        "QUANTITY",
        "LENGTH",
        "SEQNUM",
        "NUMINGROUP",
    ]
)
_WORD: Final = re.compile(rb"[\w-]+")
_MASK: Final = b"***"
_UNPAIRED_COST: Final = 4  # of an answer that has no counterpart, in fields that differ
_OTHER_KIND_COST: Final = 9  # above two that are unpaired: such answers are no pair
_MAX_TABLE: Final = 1_000_000  # cells; longer orders that differ are paired one by one

#: Session, and the tag and value that name an order or request within it: the first ClOrdID (11) of
#: a chain, another identifier, MsgSeqNum (34) of the request or MsgType (35) of the answer.
Key = tuple[bytes, bytes, bytes]
FieldPlace = tuple[bytes, int]  # tag, and which one of several


class DifferenceKind(Enum):
    """In what way an answer is not as recorded."""

    FIELDS = "differs"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(slots=True)
class FieldDifference:
    """A field that is not as recorded; None where it is absent, secrets masked."""

    tag: bytes
    name: str
    recorded: bytes | None
    replayed: bytes | None


@dataclass(slots=True)
class Difference:
    """One answer that is not as recorded, and the order or request to which it belongs."""

    kind: DifferenceKind
    belongs_to: Key
    recorded: Message | None
    replayed: Message | None
    fields: list[FieldDifference]
    place: int  # among all answers, recorded ones by their order

    @property
    def message(self) -> Message:
        """The recorded answer, or the extra one."""
        message = self.recorded or self.replayed
        assert message is not None
        return message


@dataclass(slots=True)
class _Answer:
    place: int
    message: Message


class _Thread:
    """The answers of one order that have not been found equal yet, and how many are due."""

    __slots__ = ("balance", "key", "late", "order_ids", "recorded", "replayed")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.balance = 0  # replayed less recorded
        self.late = 0  # that are waited for no more
        self.recorded: list[_Answer] = []
        self.replayed: list[_Answer] = []
        self.order_ids: dict[bytes, bytes] = {}


class Comparison:
    """Takes recorded and new answers as they come; knows how many are still due."""

    def __init__(
        self, dictionary: Dictionary, suffix: bytes = b"", ignored: frozenset[bytes] = frozenset()
    ) -> None:
        """`suffix` is what makes ClOrdIDs fresh; tags that are `ignored` are not compared."""
        self.equal = 0
        self.received = 0
        self._fields = _Fields(dictionary, suffix, ignored)
        self._suffix = suffix
        self._threads: dict[Key, _Thread] = {}
        self._short: dict[bytes, dict[Key, _Thread]] = {}  # by session: what waits for answers
        self._first: dict[tuple[bytes, bytes], bytes] = {}  # session, ClOrdID -> first of its chain
        self._by_number: dict[tuple[bool, bytes, int], Key] = {}  # is recorded, session, MsgSeqNum
        self._order_ids: dict[bytes, bytes] = {}
        self._place = 0

    # --- while it is played -------------------------------------------------------------

    def requested(self, session: bytes, message: Message, number: int) -> None:
        """A recorded request, which is sent again as MsgSeqNum `number`."""
        name, original = message.get(tags.CL_ORD_ID), message.get(tags.ORIG_CL_ORD_ID)
        if name:
            first = self._first.get((session, original), original) if original else name
            self._first.setdefault((session, name), first)
        key = self._key(session, message) or (session, tags.MSG_SEQ_NUM, b"%d" % (message.seq or 0))
        self._by_number[True, session, message.seq or 0] = key
        self._by_number[False, session, number] = key

    def expect(self, session: bytes, message: Message) -> None:
        """A recorded answer."""
        thread = self._thread(session, message, is_recorded=True)
        self._place += 1
        thread.recorded.append(_Answer(self._place, message))
        thread.balance -= 1
        if thread.balance < 0:
            self._short.setdefault(session, {})[thread.key] = thread
        self._paired(thread)

    def receive(self, session: bytes, message: Message) -> None:
        """A new answer."""
        thread = self._thread(session, message, is_recorded=False)
        self.received += 1
        thread.replayed.append(_Answer(self._place, message))
        if thread.late:
            thread.late -= 1
        else:
            thread.balance += 1
            if thread.balance == 0:
                self._short[session].pop(thread.key)
        self._paired(thread)

    def is_short(self, session: bytes) -> bool:
        """Whether this session waits for recorded answers."""
        return bool(self._short.get(session))

    def short_sessions(self) -> list[bytes]:
        """The sessions that wait for recorded answers."""
        return [session for session, threads in self._short.items() if threads]

    def give_up(self, session: bytes) -> None:
        """Wait no more for what is due; it may still come, and then counts."""
        for thread in self._short.pop(session, {}).values():
            thread.late -= thread.balance
            thread.balance = 0

    def order_id(self, recorded: bytes) -> bytes:
        """The OrderID that stands for a recorded one today."""
        return self._order_ids.get(recorded, recorded)

    def _paired(self, thread: _Thread) -> None:
        """Learn the OrderID of the newest pair, and let go of what is equal from the beginning."""
        recorded, replayed = thread.recorded, thread.replayed
        newest = min(len(recorded), len(replayed)) - 1
        if newest < 0:
            return
        ours = replayed[newest].message.get(tags.ORDER_ID) or b""
        theirs = recorded[newest].message.get(tags.ORDER_ID) or b""
        if ours not in _NO_ORDER and theirs not in _NO_ORDER:
            self._order_ids.setdefault(theirs, ours)
            self._fields.order_ids.setdefault(ours, theirs)
        while recorded and replayed:
            if self._differing(thread, recorded[0].message, replayed[0].message):
                return
            del recorded[0], replayed[0]
            self.equal += 1

    # --- what belongs together ----------------------------------------------------------

    def _thread(self, session: bytes, message: Message, is_recorded: bool) -> _Thread:
        key = None
        ref = message.get(REF_SEQ_NUM)
        if message.msg_type in REJECTS and ref is not None and ref.isdigit():
            key = self._by_number.get((is_recorded, session, int(ref)))
        key = key or self._key(session, message) or (session, b"35", message.msg_type)
        thread = self._threads.get(key)
        if thread is None:
            thread = self._threads[key] = _Thread(key)
        return thread

    def _key(self, session: bytes, message: Message) -> Key | None:
        name = message.get(tags.CL_ORD_ID)
        if name:
            name = self._recorded_name(name)
            return session, tags.CL_ORD_ID, self._first.get((session, name), name)
        for tag in _REQUEST_IDS:
            value = message.get(tag)
            if value:
                return session, tag, value
        return None

    def _recorded_name(self, name: bytes) -> bytes:
        return name.removesuffix(self._suffix) if self._suffix else name

    # --- in the end ---------------------------------------------------------------------

    def differences(self) -> list[Difference]:
        """All that is not as recorded, in recorded order; to be called once, in the end."""
        found: list[Difference] = []
        for thread in self._threads.values():
            if thread.recorded or thread.replayed:
                found += self._of_thread(thread)
        found.sort(key=lambda difference: difference.place)
        return found

    def _of_thread(self, thread: _Thread) -> Iterator[Difference]:
        recorded, replayed = thread.recorded, thread.replayed
        for left, right in self._aligned(recorded, replayed):
            if left is None or right is None:
                one = left or right
                assert one is not None
                kind = DifferenceKind.EXTRA if left is None else DifferenceKind.MISSING
                old, new = left.message if left else None, right.message if right else None
                yield Difference(kind, thread.key, old, new, [], one.place)
                continue
            fields = self._differing(thread, left.message, right.message)
            if fields:
                kind = DifferenceKind.FIELDS
                messages = left.message, right.message
                yield Difference(kind, thread.key, *messages, fields, left.place)
            else:
                self.equal += 1

    def _aligned(
        self, recorded: list[_Answer], replayed: list[_Answer]
    ) -> list[tuple[_Answer | None, _Answer | None]]:
        """Pairs, in order, that differ least in all: an edit distance."""
        rows, columns = len(recorded), len(replayed)
        if rows * columns > _MAX_TABLE:
            rest: list[tuple[_Answer | None, _Answer | None]] = []
            rest += [(one, None) for one in recorded[columns:]]
            rest += [(None, one) for one in replayed[rows:]]
            return [*zip(recorded, replayed, strict=False), *rest]
        cost = [[(row + column) * _UNPAIRED_COST for column in range(columns + 1)] for row in (0,)]
        for row in range(1, rows + 1):
            line = [row * _UNPAIRED_COST]
            for column in range(1, columns + 1):
                pair = self._cost(recorded[row - 1].message, replayed[column - 1].message)
                alone = min(cost[row - 1][column], line[column - 1]) + _UNPAIRED_COST
                line.append(min(cost[row - 1][column - 1] + pair, alone))
            cost.append(line)
        pairs: list[tuple[_Answer | None, _Answer | None]] = []
        row, column = rows, columns
        while row or column:
            if row and cost[row][column] == cost[row - 1][column] + _UNPAIRED_COST:
                row -= 1
                pairs.append((recorded[row], None))
            elif column and cost[row][column] == cost[row][column - 1] + _UNPAIRED_COST:
                column -= 1
                pairs.append((None, replayed[column]))
            else:
                row, column = row - 1, column - 1
                pairs.append((recorded[row], replayed[column]))
        return pairs[::-1]

    def _cost(self, recorded: Message, replayed: Message) -> int:
        kinds = {(one.msg_type, one.get(b"150")) for one in (recorded, replayed)}
        if len(kinds) > 1 and recorded.msg_type != replayed.msg_type:
            return _OTHER_KIND_COST
        other = _UNPAIRED_COST // 2 if len(kinds) > 1 else 0  # another ExecType (150)
        return min(other + len(self._fields.differing(recorded, replayed)), _OTHER_KIND_COST - 2)

    def _differing(
        self, thread: _Thread, recorded: Message, replayed: Message
    ) -> list[FieldDifference]:
        """The fields that differ, OrderID among them when the order had another before."""
        fields = self._fields.differing(recorded, replayed)
        if fields:
            return fields
        theirs, ours = recorded.get(tags.ORDER_ID), replayed.get(tags.ORDER_ID)
        if theirs and ours and theirs not in _NO_ORDER:
            before = thread.order_ids.setdefault(theirs, ours)
            if before != ours:
                return [self._fields.difference(tags.ORDER_ID, before, ours)]
        return []


class _Fields:
    """Compares two messages field by field; `order_ids` leads from new OrderIDs to recorded."""

    def __init__(self, dictionary: Dictionary, suffix: bytes, ignored: frozenset[bytes]) -> None:
        self.order_ids: dict[bytes, bytes] = {}
        self._dictionary = dictionary
        self._suffix = suffix
        self._ignored = _NOT_COMPARED | ignored

    def differing(self, recorded: Message, replayed: Message) -> list[FieldDifference]:
        """The fields that do not mean the same, in the order of the recorded message."""
        left, right = self._placed(recorded), self._placed(replayed)
        found = []
        for place, value in left.items():
            other = right.pop(place, None)
            if other is None or not self._means_the_same(place[0], value, other):
                found.append(self.difference(place[0], value, other))
        found += [self.difference(tag, None, value) for (tag, _), value in right.items()]
        return found

    def difference(
        self, tag: bytes, recorded: bytes | None, replayed: bytes | None
    ) -> FieldDifference:
        """The difference of one field, fit to be shown."""
        field = self._dictionary.fields.get(tag)
        name = field.name if field else tag.decode("latin-1")
        if tag in tags.SECRETS:
            recorded, replayed = recorded and _MASK, replayed and _MASK
        elif replayed is not None and self._suffix:
            replayed = replayed.replace(self._suffix, b"")
        return FieldDifference(tag, name, recorded, replayed)

    def _placed(self, message: Message) -> dict[FieldPlace, bytes]:
        places: dict[FieldPlace, bytes] = {}
        again: dict[bytes, int] = {}
        for tag, value in message.pairs():
            if tag in self._ignored:
                continue
            number = 0
            if (tag, 0) in places:
                number = again[tag] = again.get(tag, 0) + 1
            places[tag, number] = value
        return places

    def _means_the_same(self, tag: bytes, recorded: bytes, replayed: bytes) -> bool:
        if recorded == replayed:
            return True
        if tag == tags.ORDER_ID and (recorded in _NO_ORDER or replayed in _NO_ORDER):
            return False
        if tag in _ONLY_PRESENCE:
            return True
        if self._suffix:
            replayed = replayed.replace(self._suffix, b"")
            if recorded == replayed:
                return True
        if tag == tags.TEXT:
            words = _WORD.sub(lambda word: self.order_ids.get(word[0], word[0]), replayed)
            return words == recorded
        field = self._dictionary.fields.get(tag)
        if field is None:
            return False
        if field.type in _NUMBERS:
            return _number(recorded) == _number(replayed) is not None
        if field.type.startswith("MULTIPLE"):
            return sorted(recorded.split()) == sorted(replayed.split())
        return False


def _number(value: bytes) -> Decimal | None:
    try:
        return Decimal(value.decode("latin-1"))
    except InvalidOperation:
        return None
